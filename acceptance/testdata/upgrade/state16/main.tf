# One of each resource. The state beside it was made by applying this, and the store with it.

terraform {
  required_providers {
    dataservice = {
      source = "dataservice/dataservice"
    }
  }
}

variable "developer_token" {
  type      = string
  sensitive = true
}

variable "reviewer_token" {
  type      = string
  sensitive = true
}

variable "largest" {
  description = "A change of it changes an API, which is published anew."
  type        = number
  default     = 50
}

provider "dataservice" {} # an admin

provider "dataservice" {
  alias = "developer"
  token = var.developer_token
}

provider "dataservice" {
  alias = "reviewer"
  token = var.reviewer_token
}

resource "dataservice_workspace" "finance" {
  name        = "finance"
  description = "APIs on the ledgers."
}

resource "dataservice_member" "lead" {
  name = "lead"
  role = "OPERATOR"
}

resource "dataservice_member" "ci" {
  name         = "ci"
  role         = "DEVELOPER"
  hand_over_to = dataservice_member.lead.name
}

resource "dataservice_instance" "partners" {
  name        = "partners"
  description = "What partners call."
  host_names  = ["api.partners.example.com"]
}

resource "dataservice_environment" "dev" {
  name            = "DEV"
  review_required = false
  notice_hours    = 0

  rate_limit = {
    requests = 1000
  }
}

resource "dataservice_group" "sales" {
  provider    = dataservice.developer
  name        = "sales"
  description = "All that is sold, and to whom."
}

resource "dataservice_folder" "orders" {
  provider = dataservice.developer
  name     = "Orders"
  group_id = dataservice_group.sales.id
}

resource "dataservice_connection" "numbers" {
  provider = dataservice.developer
  name     = "numbers"
  engine   = "SQLITE"
  file     = "numbers.db"
}

resource "dataservice_api" "numbers" {
  provider      = dataservice.developer
  name          = "numbers"
  description   = "Numbers up to a bound."
  path          = "/numbers"
  method        = "GET"
  auth_type     = "APP"
  timeout_ms    = 2000
  group_id      = dataservice_group.sales.id
  folder_id     = dataservice_folder.orders.id
  connection_id = dataservice_connection.numbers.id

  script = {
    sql   = "SELECT n FROM numbers WHERE n = $${n} AND n <= ${var.largest} ORDER BY n"
    paged = true
  }

  request_parameters = {
    n = { type = "INT", required = true, example = "7" }
  }

  response_parameters = {
    n = { type = "INT", description = "The number." }
  }
}

resource "dataservice_api" "every" {
  provider      = dataservice.developer
  name          = "every"
  path          = "/every"
  auth_type     = "NONE"
  connection_id = dataservice_connection.numbers.id

  wizard = {
    table = "numbers"
  }

  response_parameters = {
    n = { type = "INT" }
  }
}

resource "dataservice_publication" "numbers" {
  provider     = dataservice.developer
  api_id       = dataservice_api.numbers.id
  api_revision = dataservice_api.numbers.revision
  remark       = "Up to ${var.largest}."
}

resource "dataservice_review" "numbers" {
  provider       = dataservice.reviewer
  publication_id = dataservice_publication.numbers.id
  api_revision   = dataservice_publication.numbers.api_revision
  decision       = "APPROVE"
  comment        = "Fine."
}

resource "dataservice_publication" "every" {
  provider       = dataservice.developer
  api_id         = dataservice_api.every.id
  api_revision   = dataservice_api.every.revision
  environment_id = dataservice_environment.dev.id
}

resource "dataservice_app" "shop" {
  provider    = dataservice.developer
  name        = "shop"
  description = "The web shop."
  rotation    = "2026-11"
}

resource "dataservice_authorization" "shop" {
  provider  = dataservice.reviewer
  api_id    = dataservice_api.numbers.id
  app_id    = dataservice_app.shop.id
  revoke_as = "API"
}
