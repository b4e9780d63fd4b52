# The side of the API: one that apps call, signed with their secret or, since it allows
# that, with their AppCode. Applied by a reviewer it is published at once; applied by a
# developer it goes to review, as in examples/review-in-two-pipelines.

terraform {
  required_providers {
    dataservice = {
      source = "dataservice/dataservice"
    }
  }
}

provider "dataservice" {}

resource "dataservice_connection" "world" {
  name   = "world"
  engine = "SQLITE"
  file   = "world.db"
}

resource "dataservice_api" "regions" {
  name           = "regions_by_name"
  path           = "/regions/by-name"
  method         = "GET"
  auth_type      = "APP"
  allow_app_code = true
  connection_id  = dataservice_connection.world.id

  script = {
    sql = "SELECT code, name FROM regions WHERE name LIKE $${name} ORDER BY name"
  }

  request_parameters = {
    name = { type = "STRING", required = true, example = "S%", description = "A pattern: % stands for anything." }
  }

  response_parameters = {
    code = { type = "STRING", description = "ISO 3166-1 alpha-2." }
    name = { type = "STRING" }
  }
}

resource "dataservice_publication" "regions" {
  api_id       = dataservice_api.regions.id
  api_revision = dataservice_api.regions.revision
}

output "api_id" {
  value = dataservice_api.regions.id
}
