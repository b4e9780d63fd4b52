provider "dataservice" {
  endpoint = var.endpoint
  token    = var.token
}

resource "dataservice_connection" "orders" {
  name        = "orders"
  description = var.description
  engine      = "SQLITE"
  file        = var.file
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

variable "file" {
  type    = string
  default = "orders.db"
}
