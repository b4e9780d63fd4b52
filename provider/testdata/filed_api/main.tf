# A published API in a folder of a group.

provider "dataservice" {
  endpoint = var.endpoint
  token    = var.token
}

resource "dataservice_connection" "orders" {
  name   = "orders"
  engine = "SQLITE"
  file   = "orders.db"
}

resource "dataservice_group" "sales" {
  name = "sales"
}

resource "dataservice_group" "stock" {
  name = "stock"
}

resource "dataservice_folder" "orders" {
  name     = "Orders"
  group_id = dataservice_group.sales.id
}

resource "dataservice_api" "orders" {
  name                = "orders"
  path                = "/orders"
  auth_type           = "NONE"
  visibility          = var.visibility
  group_id            = var.group == null ? null : var.group == "sales" ? dataservice_group.sales.id : dataservice_group.stock.id
  folder_id           = var.in_folder ? dataservice_folder.orders.id : null
  resource_group      = "vendor"
  connection_id       = dataservice_connection.orders.id
  script              = { sql = "SELECT id FROM orders" }
  response_parameters = { id = { type = "INT" } }
}

resource "dataservice_publication" "orders" {
  api_id       = dataservice_api.orders.id
  api_revision = dataservice_api.orders.revision
}

data "dataservice_published_api" "orders" {
  api_id         = dataservice_publication.orders.api_id
  environment_id = dataservice_publication.orders.environment_id
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

variable "visibility" {
  type    = string
  default = null
}

variable "group" {
  type    = string
  default = "sales"
}

variable "in_folder" {
  type    = bool
  default = true
}
