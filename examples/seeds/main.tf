# The sample definitions of the document CreateDataServiceApi, as they run here. What
# differs from the document is said beside it; the guide "Every field, and the source
# documents" has the whole list.
#
#   sqlite3 dataservice-data/databases/person.db < examples/seeds/person.sql
#   go run ./examples/registration/backend 127.0.0.1:9090
#
# The service calls backends on loopback only where its operator allows that range:
# dataservice serve --allow-backend-cidr 127.0.0.0/8.

terraform {
  required_providers {
    dataservice = {
      source = "dataservice/dataservice"
    }
  }
}

provider "dataservice" {}

variable "backend" {
  description = "Base URL of the backend. In the document it is a public web site."
  type        = string
  default     = "http://127.0.0.1:9090"
}

resource "dataservice_connection" "person" {
  name   = "person"
  engine = "SQLITE"
  file   = "person.db" # below the service's --sqlite-dir
}

# WizardDetails.
resource "dataservice_api" "wizard" {
  name           = "API_name" # "API name" has a space, which the document's own rule for names refuses
  description    = "API description"
  path           = "/test/1"
  method         = "GET"
  auth_type      = "NONE" # not a field of the document: here it must be said
  timeout_ms     = 10000
  protocols      = ["HTTP", "HTTPS"]
  resource_group = "3242432423"
  connection_id  = dataservice_connection.person.id

  wizard = {
    table = "person"
    paged = true
  }

  request_parameters = {
    # In the document at the position 0, PATH, where a wizard's parameters cannot be.
    id = { type = "LONG", position = "QUERY", operator = "EQUAL", required = true, example = "1" }
  }

  response_parameters = {
    id = { type = "LONG", example = "11" }
  }
}

# ScriptDetails.
resource "dataservice_api" "script" {
  name          = "API_name_script"
  description   = "API description"
  path          = "/test/2"
  auth_type     = "NONE"
  connection_id = dataservice_connection.person.id

  script = {
    sql      = "select id as id1, name as name1 from person where id=$${inputid}"
    sql_mode = "BASIC"
    table    = "person"
  }

  request_parameters = {
    inputid = { type = "STRING", position = "QUERY", operator = "EQUAL", required = true }
  }

  response_parameters = {
    id1   = { type = "STRING" }
    name1 = { type = "STRING" }
  }

  # The document has no example for the required parameter.
  debug = {
    parameters = { inputid = "1" }
    expect     = { min_rows = 1 }
  }
}

# RegistrationDetails.
resource "dataservice_api" "registration" {
  name                  = "API_name_registration"
  description           = "API description"
  path                  = "/test/3"
  auth_type             = "NONE"
  request_content_type  = "XML"
  response_content_type = "JSON" # the backend's is XML: a warning, for answers pass as they are

  registration = {
    host                     = var.backend
    path                     = "/[uid]" # no parameter is called uid: a warning, for it is sent as it is
    content_type             = "XML"
    request_body_description = "body"
  }

  request_parameters = {
    id = { type = "STRING", position = "QUERY", operator = "EQUAL", required = true }
    cc = { type = "STRING", position = "HEADER", operator = "CONST", default = "xx", required = true }
  }

  error_codes = {
    e1 = { message = "msg1", solution = "sol1" }
    e2 = { message = "msg2", solution = "sol2" }
  }

  success_sample = "success"
  failure_sample = "fail"

  debug = {
    parameters = { id = "1" }
  }
}

resource "dataservice_publication" "seed" {
  for_each = {
    wizard       = dataservice_api.wizard
    script       = dataservice_api.script
    registration = dataservice_api.registration
  }
  api_id       = each.value.id
  api_revision = each.value.revision
}
