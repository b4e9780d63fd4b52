# A connection that is pointed elsewhere, with its password at hand or without it.

provider "dataservice" {}

resource "dataservice_connection" "orders" {
  name            = "orders"
  engine          = "POSTGRESQL"
  host            = var.host
  port            = var.port
  database        = var.database
  username        = var.username
  ssl_mode        = var.ssl_mode
  allow_superuser = true

  password_wo = var.password == "" ? null : var.password
}

variable "host" {
  type = string
}

variable "port" {
  type = number
}

variable "database" {
  type = string
}

variable "username" {
  type = string
}

variable "ssl_mode" {
  type    = string
  default = null
}

variable "password" {
  type      = string
  ephemeral = true
  default   = ""
}
