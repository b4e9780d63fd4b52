# The developer's side: a database, an API on it, and its publication.
#
# The provider reads where the service is and who you are from the environment:
# DATASERVICE_ENDPOINT and DATASERVICE_TOKEN.

terraform {
  required_providers {
    dataservice = {
      source = "dataservice/dataservice"
    }
  }
}

provider "dataservice" {}

resource "dataservice_connection" "world" {
  name        = "world"
  description = "Countries, languages and currencies of the world."
  engine      = "SQLITE"
  file        = "world.db" # below the service's --sqlite-dir
}

resource "dataservice_api" "countries" {
  name          = "countries"
  description   = "Countries of a continent, with their currencies and languages."
  path          = "/countries"
  method        = "GET"
  auth_type     = "NONE"
  connection_id = dataservice_connection.world.id

  script = {
    sql   = file("${path.module}/countries.sql")
    paged = true
  }

  request_parameters = {
    continent = {
      type        = "STRING"
      required    = true
      example     = "Europe"
      description = "Africa, Americas, Asia, Europe or Oceania."
    }
    currency = {
      type        = "STRING"
      example     = "EUR"
      description = "Only countries that pay in this currency (ISO 4217)."
    }
  }

  response_parameters = {
    code       = { type = "STRING", description = "ISO 3166-1 alpha-2." }
    name       = { type = "STRING" }
    subregion  = { type = "STRING" }
    currencies = { type = "STRING", description = "ISO 4217, with commas." }
    languages  = { type = "STRING", description = "English names, with commas." }
  }
}

resource "dataservice_publication" "countries" {
  api_id         = dataservice_api.countries.id
  api_revision   = dataservice_api.countries.revision # a changed definition is published anew
  desired_status = var.desired_status
  remark         = var.remark
}

variable "desired_status" {
  description = "PUBLISHED, or STOPPED to suspend the API."
  type        = string
  default     = "PUBLISHED"
}

variable "remark" {
  description = "What the reviewer should know about this version."
  type        = string
  default     = "First version"
}

output "url" {
  description = "Where the API is called once it is published."
  value       = dataservice_publication.countries.url
}

# The reviewer needs these two. The status is no output: it changes when somebody
# else decides, and a plan shows changed outputs.

output "publication_id" {
  value = dataservice_publication.countries.id
}

output "api_revision" {
  value = dataservice_publication.countries.api_revision
}
