# One API in two environments, each with a database of its own.

provider "dataservice" {}

resource "dataservice_connection" "database" {
  for_each = toset(["orders", "staged"])
  name     = each.key
  engine   = "SQLITE"
  file     = "${each.key}.db"
}

resource "dataservice_api" "orders" {
  name                = "orders"
  path                = "/orders"
  auth_type           = "NONE"
  connection_id       = dataservice_connection.database["orders"].id
  script              = { sql = "SELECT count(*) AS orders FROM orders" }
  response_parameters = { orders = { type = "INT" } }
}

resource "dataservice_publication" "release" {
  api_id       = dataservice_api.orders.id
  api_revision = dataservice_api.orders.revision
}

resource "dataservice_publication" "stage" {
  api_id         = dataservice_api.orders.id
  api_revision   = dataservice_api.orders.revision
  environment_id = var.environment_id
  connection_id  = var.override ? dataservice_connection.database["staged"].id : null
}

variable "environment_id" {
  type = string
}

variable "override" {
  type    = bool
  default = true
}
