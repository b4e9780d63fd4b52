provider "dataservice" {
  endpoint = var.endpoint
  token    = var.token
}

resource "dataservice_group" "sales" {
  name        = "sales"
  description = var.description
}

resource "dataservice_group" "stock" {
  name = "stock"
}

resource "dataservice_folder" "orders" {
  name     = "Bücher 2026"
  group_id = dataservice_group.sales.id
}

resource "dataservice_folder" "returns" {
  name      = "returns"
  group_id  = var.elsewhere ? dataservice_group.stock.id : dataservice_group.sales.id
  parent_id = var.nested ? dataservice_folder.orders.id : null
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

variable "nested" {
  type    = bool
  default = true
}

variable "elsewhere" {
  type    = bool
  default = false
}
