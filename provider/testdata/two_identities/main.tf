# A developer publishes and a reviewer approves in one configuration.

provider "dataservice" {
  endpoint = var.endpoint
  token    = var.token
}

provider "reviewer" {
  endpoint = var.endpoint
  token    = var.reviewer_token
}

resource "dataservice_connection" "orders" {
  name   = "orders"
  engine = "SQLITE"
  file   = "orders.db"
}

resource "dataservice_api" "orders" {
  name          = "orders"
  path          = "/orders"
  method        = "GET"
  auth_type     = "NONE"
  connection_id = dataservice_connection.orders.id

  script = {
    sql   = "SELECT id FROM orders WHERE region = $${region}"
    paged = true
  }

  request_parameters = {
    region = { type = "STRING", required = true, example = "north" }
  }

  response_parameters = {
    id = { type = "INT" }
  }
}

resource "dataservice_publication" "orders" {
  api_id       = dataservice_api.orders.id
  api_revision = dataservice_api.orders.revision
}

resource "dataservice_review" "orders" {
  provider       = reviewer
  publication_id = dataservice_publication.orders.id
  api_revision   = dataservice_publication.orders.api_revision
  decision       = "APPROVE"
  comment        = "Looks good."
}

data "dataservice_published_api" "orders" {
  api_id     = "orders"
  depends_on = [dataservice_review.orders]
}

variable "endpoint" {
  type = string
}

variable "token" {
  type      = string
  sensitive = true
}

variable "reviewer_token" {
  type      = string
  sensitive = true
}
