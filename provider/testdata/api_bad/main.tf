# Everything that can be wrong with an API without asking the service.

provider "dataservice" {}

resource "dataservice_api" "limits" {
  name          = "1x"
  description   = join("", [for i in range(201) : "0123456789"])
  path          = "orders"
  method        = "PATCH"
  auth_type     = "SECRET"
  timeout_ms    = 30001
  connection_id = "0123456789abcdef0123456789abcdef"

  script = { sql = "SELECT 1 AS id" }

  request_parameters = {
    pageNum = { type = "INT" }
    "1st"   = { type = "INT" }
    day     = { type = "DATE" }
    count   = { type = "INT", default = "many" }
  }

  response_parameters = {}
}

resource "dataservice_api" "undeclared" {
  name                = "undeclared"
  path                = "/undeclared"
  auth_type           = "NONE"
  connection_id       = "0123456789abcdef0123456789abcdef"
  script              = { sql = "SELECT id FROM orders WHERE region = $${region}" }
  response_parameters = { id = { type = "INT" } }
}

resource "dataservice_api" "unused" {
  name                = "unused"
  path                = "/unused"
  auth_type           = "NONE"
  connection_id       = "0123456789abcdef0123456789abcdef"
  script              = { sql = "SELECT id FROM orders" }
  request_parameters  = { region = { type = "STRING" } }
  response_parameters = { id = { type = "INT" } }
}

resource "dataservice_api" "writes" {
  name                = "writes"
  path                = "/writes"
  auth_type           = "NONE"
  connection_id       = "0123456789abcdef0123456789abcdef"
  script              = { sql = "DELETE FROM orders" }
  response_parameters = { id = { type = "INT" } }
}

resource "dataservice_api" "debugged" {
  name                = "debugged"
  path                = "/debugged"
  auth_type           = "NONE"
  connection_id       = "0123456789abcdef0123456789abcdef"
  script              = { sql = "SELECT id FROM orders WHERE id = $${id}" }
  request_parameters  = { id = { type = "INT" } }
  response_parameters = { id = { type = "INT" } }
  debug               = { parameters = { id = "one", di = "1" } }
}

resource "dataservice_publication" "publication" {
  api_id         = "orders"
  api_revision   = 0
  environment_id = "RELEASE"
  remark         = join("", [for i in range(26) : "0123456789"])
  desired_status = "OFFLINE"
}

resource "dataservice_review" "neither" {
  decision = "APPROVE"
}

resource "dataservice_review" "both" {
  review_id      = "0123456789abcdef0123456789abcdef"
  publication_id = "0123456789abcdef0123456789abcdef"
  api_revision   = 1
}

resource "dataservice_review" "half" {
  publication_id = "0123456789abcdef0123456789abcdef"
}
