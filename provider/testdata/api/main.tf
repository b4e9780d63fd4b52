# An API that is not published. Variables play what a user edits.

provider "dataservice" {
  endpoint = var.endpoint
  token    = var.token
}

resource "dataservice_connection" "orders" {
  name   = "orders"
  engine = "SQLITE"
  file   = "orders.db"
}

resource "dataservice_api" "orders" {
  name          = "orders"
  description   = var.description
  path          = var.path
  auth_type     = "NONE"
  connection_id = dataservice_connection.orders.id

  script = {
    sql = var.sql
  }

  request_parameters = {
    region = { type = "STRING", required = true, example = var.example, description = "" }
    least  = { type = "DOUBLE", default = "0" }
  }

  response_parameters = {
    id     = { type = "INT" }
    amount = { type = "DOUBLE", example = "10.5", description = "In euro." }
  }

  debug = var.debug == null ? null : { parameters = var.debug }
}

variable "endpoint" {
  type    = string
  default = null
}

variable "token" {
  type      = string
  default   = null
  sensitive = true
}

variable "description" {
  type    = string
  default = null
}

variable "path" {
  type    = string
  default = "/orders"
}

variable "sql" {
  type    = string
  default = "SELECT id, amount FROM orders WHERE region = $${region} AND amount >= $${least}"
}

variable "example" {
  type    = string
  default = "north"
}

variable "debug" {
  type    = map(string)
  default = null
}
