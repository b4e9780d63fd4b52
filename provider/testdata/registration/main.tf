# What an HTTP backend answers, published.

provider "dataservice" {
  endpoint = var.endpoint
  token    = var.token
}

resource "dataservice_api" "orders" {
  name                  = "orders"
  path                  = "/orders"
  method                = var.method
  mode                  = "REGISTRATION"
  auth_type             = "NONE"
  request_content_type  = var.method == "GET" ? null : "FORM"
  response_content_type = var.format

  registration = {
    host                     = var.backend
    path                     = var.path
    content_type             = var.format
    request_body_description = "A form, or nothing."
  }

  request_parameters = merge({
    id      = { type = "LONG", position = "PATH", required = true, example = "7", description = "Number." }
    size    = { type = "INT", default = "10" }
    x-trace = { type = "STRING", position = "HEADER", operator = "CONST", default = "on" }
    x-lang  = { type = "STRING", position = "HEADER" }
    }, var.method == "GET" ? {} : {
    note = { type = "STRING", position = "BODY", example = "hello" }
  })

  response_parameters = {
    id = { type = "LONG", description = "For documentation." }
  }

  error_codes = {
    e1 = { message = "msg1", solution = "sol1" }
    e2 = { message = "msg2", solution = "sol2" }
  }

  success_sample = "success"
  failure_sample = "fail"
  debug          = var.debug
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

variable "backend" {
  type = string
}

variable "method" {
  type    = string
  default = "GET"
}

variable "path" {
  type    = string
  default = "/v1/[id]/lines"
}

variable "format" {
  type    = string
  default = "JSON"
}

variable "debug" {
  type = object({
    parameters = optional(map(string))
    expect     = optional(object({ status = optional(number), json = optional(map(string)) }))
  })
  default = null
}
