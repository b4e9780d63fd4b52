# An API that declares the parameters that its script tells.

terraform {
  required_providers {
    dataservice = {
      source = "hashicorp/dataservice"
    }
  }
}

provider "dataservice" {}

resource "dataservice_connection" "orders" {
  name   = "orders"
  engine = "SQLITE"
  file   = "orders.db"
}

resource "dataservice_api" "orders" {
  name                = "orders"
  path                = "/orders"
  auth_type           = "NONE"
  connection_id       = dataservice_connection.orders.id
  script              = { sql = var.sql, sql_mode = var.modes[0] }
  request_parameters  = { for name in provider::dataservice::script_parameters(var.sql, var.modes...) : name => { type = "STRING", example = "north" } }
  response_parameters = { id = { type = "INT" } }
}

output "parameters" {
  value = join(" ", provider::dataservice::script_parameters(var.sql, var.modes...))
}

output "basic" {
  value = join(" ", provider::dataservice::script_parameters("SELECT $${b}, $${a}, $${b}"))
}

variable "sql" {
  type    = string
  default = "SELECT id FROM orders WHERE region = $${region} AND region <> $${other} -- $${left_out}"
}

variable "modes" {
  type    = list(string)
  default = ["BASIC"]
}
