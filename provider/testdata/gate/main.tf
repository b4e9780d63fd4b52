# A publication that others wait for.

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
  name          = var.name
  description   = var.description
  path          = var.path
  auth_type     = "NONE"
  connection_id = dataservice_connection.orders.id

  script = {
    sql = var.sql
  }

  request_parameters = {
    region = { type = "STRING", example = "north" }
  }

  response_parameters = {
    id     = { type = "INT" }
    amount = { type = "DOUBLE", description = "In euro." }
  }
}

resource "dataservice_publication" "orders" {
  api_id         = dataservice_api.orders.id
  api_revision   = dataservice_api.orders.revision
  remark         = var.remark
  desired_status = var.desired_status

  timeouts = {
    delete = "10s"
  }
}

resource "dataservice_review" "orders" {
  publication_id = dataservice_publication.orders.id
  api_revision   = dataservice_publication.orders.api_revision

  timeouts = {
    create = var.wait
  }
}

resource "terraform_data" "after" {
  input = dataservice_review.orders.status
}

variable "wait" {
  type    = string
  default = "5m"
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

variable "name" {
  type    = string
  default = "orders"
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
  default = "SELECT id, amount FROM orders WHERE region = $${region} ORDER BY id"
}

variable "remark" {
  type    = string
  default = null
}

variable "desired_status" {
  type    = string
  default = null
}
