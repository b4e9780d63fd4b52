# The endpoint is made by the same configuration.

resource "terraform_data" "endpoint" {
  input            = var.endpoint
  triggers_replace = var.trigger
}

provider "dataservice" {
  endpoint = terraform_data.endpoint.output
}

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
  script              = { sql = "SELECT id FROM orders" }
  response_parameters = { id = { type = "INT" } }
}

resource "dataservice_publication" "orders" {
  api_id       = dataservice_api.orders.id
  api_revision = dataservice_api.orders.revision
}

resource "dataservice_review" "orders" {
  publication_id = dataservice_publication.orders.id
  api_revision   = dataservice_publication.orders.api_revision
}

variable "endpoint" {
  type = string
}

variable "trigger" {
  type    = string
  default = "1"
}
