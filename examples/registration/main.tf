# An HTTP backend as a governed API. A tiny one is in the folder beside:
#
#   go run ./examples/registration/backend 127.0.0.1:9090
#
# The service calls backends on loopback only where its operator allows that range, with
# --allow-backend-cidr or, as here, with the environment variable:
#
#   DATASERVICE_ALLOW_BACKEND_CIDR=127.0.0.1 make run

terraform {
  required_providers {
    dataservice = {
      source = "dataservice/dataservice"
    }
  }
}

provider "dataservice" {}

variable "backend" {
  description = "Base URL of the backend."
  type        = string
  default     = "http://127.0.0.1:9090"
}

# GET /stock?shelf=…&unit=… asks the backend GET /warehouse/shelves/…?unit=….
resource "dataservice_api" "stock" {
  name        = "stock"
  description = "What lies on a shelf."
  path        = "/stock"
  method      = "GET"
  auth_type   = "NONE"
  timeout_ms  = 2000

  registration = {
    host = var.backend
    path = "/warehouse/shelves/[shelf]"
  }

  request_parameters = {
    shelf    = { type = "STRING", position = "PATH", required = true, example = "A 7" }
    unit     = { type = "STRING", default = "piece" }
    x-locale = { type = "STRING", position = "HEADER", example = "de" }
    x-client = { type = "STRING", position = "HEADER", operator = "CONST", default = "gateway" }
  }

  debug = {
    expect = {
      status = 200
      json = {
        "/path"             = jsonencode("/warehouse/shelves/A 7")
        "/headers/x-client" = jsonencode("gateway")
      }
    }
  }
}

# POST /stock with a JSON body asks the backend POST /warehouse/bookings.
resource "dataservice_api" "booking" {
  name                 = "booking"
  description          = "Takes something from a shelf."
  path                 = "/stock"
  method               = "POST"
  auth_type            = "NONE"
  request_content_type = "JSON"

  registration = {
    host = var.backend
    path = "/warehouse/bookings"
  }

  request_parameters = {
    shelf  = { type = "STRING", position = "BODY", required = true, example = "A 7" }
    amount = { type = "INT", position = "BODY", default = "1" }
  }

  error_codes = {
    EMPTY = { message = "The shelf is empty.", solution = "Ask for another one." }
  }

  # A POST may change something at the backend: it is called only because of this block.
  debug = {
    parameters = { amount = "2" }
  }
}

resource "dataservice_publication" "stock" {
  for_each     = { stock = dataservice_api.stock, booking = dataservice_api.booking }
  api_id       = each.value.id
  api_revision = each.value.revision
}

output "urls" {
  description = "Where the APIs are called once they are published."
  value       = { for name, p in dataservice_publication.stock : name => p.url }
}
