# Several APIs, published at once into one instance.

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
  for_each      = var.names
  name          = each.key
  path          = "/${each.key}"
  auth_type     = "NONE"
  connection_id = dataservice_connection.orders.id

  script = {
    sql = "SELECT id FROM orders ORDER BY id"
  }

  response_parameters = {
    id = { type = "INT" }
  }
}

resource "dataservice_publication" "orders" {
  for_each     = var.names
  api_id       = dataservice_api.orders[each.key].id
  api_revision = dataservice_api.orders[each.key].revision

  timeouts = {
    create = "1m"
  }
}

variable "names" {
  type    = set(string)
  default = ["orders_1", "orders_2", "orders_3", "orders_4", "orders_5", "orders_6"]
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
