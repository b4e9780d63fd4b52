# An app that may call a published API. Variables play what a user edits.

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
  name           = "orders"
  path           = "/orders"
  auth_type      = "APP"
  allow_app_code = true
  connection_id  = dataservice_connection.orders.id

  script = {
    sql = var.sql
  }

  response_parameters = {
    id     = { type = "INT" }
    amount = { type = "DOUBLE" }
  }
}

resource "dataservice_publication" "orders" {
  count          = var.published ? 1 : 0
  api_id         = dataservice_api.orders.id
  api_revision   = dataservice_api.orders.revision
  desired_status = var.desired_status
  notice_time    = var.notice_time

  timeouts = {
    delete = var.patience
  }
}

resource "dataservice_app" "shop" {
  name = "shop"
}

resource "dataservice_authorization" "shop" {
  count     = var.authorized ? 1 : 0
  api_id    = dataservice_api.orders.id
  app_id    = dataservice_app.shop.id
  until     = var.until
  remark    = var.remark
  revoke_as = var.revoke_as

  timeouts = {
    delete = var.patience
  }
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

variable "sql" {
  type    = string
  default = "SELECT id, amount FROM orders ORDER BY id"
}

variable "published" {
  type    = bool
  default = true
}

variable "authorized" {
  type    = bool
  default = true
}

variable "desired_status" {
  type    = string
  default = null
}

variable "notice_time" {
  type    = string
  default = null
}

variable "until" {
  type    = string
  default = null
}

variable "remark" {
  type    = string
  default = null
}

variable "revoke_as" {
  type    = string
  default = null
}

variable "patience" {
  type    = string
  default = "5s"
}
