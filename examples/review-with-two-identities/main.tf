# Both identities in one configuration: one apply publishes and approves. That fits
# a small team, or a test environment in which the pipeline may do both.
#
# The publication belongs to the developer, who may not take it offline. So a
# destroy needs the reviewer's token in both variables.

terraform {
  required_providers {
    dataservice = {
      source = "dataservice/dataservice"
    }
  }
}

variable "endpoint" {
  description = "Where the service's control plane answers."
  type        = string
  default     = "http://127.0.0.1:8080"
}

variable "developer_token" {
  type      = string
  sensitive = true
}

variable "reviewer_token" {
  type      = string
  sensitive = true
}

provider "dataservice" {
  alias    = "developer"
  endpoint = var.endpoint
  token    = var.developer_token
}

provider "dataservice" {
  alias    = "reviewer"
  endpoint = var.endpoint
  token    = var.reviewer_token
}

resource "dataservice_connection" "world" {
  provider = dataservice.developer
  name     = "world"
  engine   = "SQLITE"
  file     = "world.db"
}

resource "dataservice_api" "languages" {
  provider      = dataservice.developer
  name          = "languages"
  path          = "/languages"
  method        = "GET"
  auth_type     = "NONE"
  connection_id = dataservice_connection.world.id

  script = {
    sql = <<-SQL
      SELECT code, name, native_name
        FROM languages
        JOIN region_languages ON language_code = code
       WHERE region_code = $${region}
       ORDER BY name
    SQL
  }

  request_parameters = {
    region = { type = "STRING", required = true, example = "CH", description = "ISO 3166-1 alpha-2." }
  }

  response_parameters = {
    code        = { type = "STRING", description = "ISO 639." }
    name        = { type = "STRING" }
    native_name = { type = "STRING" }
  }
}

resource "dataservice_publication" "languages" {
  provider     = dataservice.developer
  api_id       = dataservice_api.languages.id
  api_revision = dataservice_api.languages.revision
}

resource "dataservice_review" "languages" {
  provider       = dataservice.reviewer
  publication_id = dataservice_publication.languages.id
  api_revision   = dataservice_publication.languages.api_revision
  decision       = "APPROVE"
}

# Read after the approval, so that it is there to be read.
data "dataservice_published_api" "languages" {
  provider   = dataservice.developer
  api_id     = dataservice_api.languages.id
  depends_on = [dataservice_review.languages]
}

output "url" {
  value = data.dataservice_published_api.languages.url
}
