# Rows of a basic script with every detail, published.

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
  name          = "orders"
  path          = "/orders"
  method        = "POST"
  protocols     = ["HTTP"]
  auth_type     = "NONE"
  connection_id = dataservice_connection.orders.id

  script = {
    sql        = "SELECT id, amount FROM orders WHERE region = $${region} AND id IN ($${ids}) ORDER BY id"
    sql_mode   = "BASIC"
    table      = "orders"
    paged      = true
    skip_total = false
  }

  request_parameters = {
    region = { type = "STRING", default = "north" }
    ids    = { type = "INT_LIST", required = true, example = "1,2,3", description = "Some of them." }
  }

  response_parameters = {
    id     = { type = "INT" }
    amount = { type = "DOUBLE" }
  }

  error_codes       = { e1 = { message = "msg1", solution = "sol1" } }
  caller_rate_limit = { requests = 500, period_seconds = 60 }
  cache_ttl_seconds = 0
  debug             = var.debug
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

variable "debug" {
  type = object({
    parameters = optional(map(string))
    expect     = optional(object({ status = optional(number), min_rows = optional(number), json = optional(map(string)) }))
  })
  default = null
}
