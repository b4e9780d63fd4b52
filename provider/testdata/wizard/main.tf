# Rows of a table, published. Nothing that a wizard can have is left out, and what has
# a default is written with it.

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
  name                  = "orders"
  description           = "What was ordered."
  path                  = "/orders"
  method                = "GET"
  mode                  = var.mode
  protocols             = ["HTTPS", "HTTP"]
  request_content_type  = "JSON"
  response_content_type = "JSON"
  auth_type             = "NONE"
  timeout_ms            = 10000
  visibility            = "WORKSPACE"
  resource_group        = "vendor"
  connection_id         = dataservice_connection.orders.id

  wizard = {
    table      = var.table
    paged      = true
    skip_total = false
    order_by   = var.order_by
  }

  # Ignored where the mode is WIZARD.
  script = var.script

  request_parameters = {
    region = {
      type        = "STRING"
      position    = "QUERY"
      operator    = "LIKE"
      required    = true
      column      = "region"
      example     = "north"
      description = "Where."
    }
    ids   = { type = "INT_LIST", operator = "IN", column = "id" }
    least = { type = "DOUBLE", column = "amount", operator = "EQUAL", required = false }
  }

  response_parameters = {
    id    = { type = "INT", example = "1", description = "Number." }
    total = { type = "DOUBLE", column = "amount" }
  }

  error_codes = {
    "40003" = { message = "The region is missing.", solution = "Pass region." }
    "50401" = { message = "It took too long." }
  }

  success_sample    = "{\"errCode\": 0}"
  failure_sample    = "{\"errCode\": 40003}"
  rate_limit        = { requests = 1000, period_seconds = 1 }
  caller_rate_limit = { requests = 500 }
  cache_ttl_seconds = 0
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

variable "mode" {
  type    = string
  default = "WIZARD"
}

variable "table" {
  type    = string
  default = "orders"
}

variable "order_by" {
  type = list(object({ column = string, descending = optional(bool) }))
  default = [
    { column = "region", descending = false },
    { column = "id", descending = true },
  ]
}

variable "script" {
  type    = object({ sql = string })
  default = null
}
