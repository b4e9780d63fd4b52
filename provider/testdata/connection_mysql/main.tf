provider "dataservice" {
  endpoint = var.endpoint
  token    = var.token
}

resource "dataservice_connection" "orders" {
  name            = "orders"
  engine          = "MYSQL"
  host            = var.host
  port            = var.port
  database        = var.database
  username        = var.username
  allow_superuser = true

  password_wo         = var.password
  password_wo_version = var.password_version
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

variable "password" {
  type      = string
  ephemeral = true
}

variable "password_version" {
  type = number
}
