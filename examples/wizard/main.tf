# A table as an API, without SQL: which columns callers may choose rows by, which they
# see, and in which order. The data is that of the quickstart:
#
#   go run ./examples/quickstart/world dataservice-data/databases/world.db
#
# The provider reads where the service is and who you are from the environment:
# DATASERVICE_ENDPOINT and DATASERVICE_TOKEN. With a reviewer's token the API is live
# at once.

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
  file   = "world.db" # below the service's --sqlite-dir
}

resource "dataservice_api" "regions" {
  name          = "regions"
  description   = "Countries and territories of the world."
  path          = "/regions"
  auth_type     = "NONE"
  connection_id = dataservice_connection.world.id

  wizard = {
    table = "regions"
    paged = true
    order_by = [
      { column = "continent" },
      { column = "name", descending = true },
    ]
  }

  request_parameters = {
    # A condition of a parameter that a call does not pass is left out.
    continent = { type = "STRING", example = "Europe" }
    name      = { type = "STRING", operator = "LIKE", description = "With % for any text and _ for any character." }
    codes     = { type = "STRING_LIST", operator = "IN", column = "code", description = "ISO 3166-1 alpha-2, with commas." }
  }

  response_parameters = {
    code   = { type = "STRING", description = "ISO 3166-1 alpha-2." }
    name   = { type = "STRING" }
    number = { type = "INT", column = "m49", description = "UN M49." }
  }

  # An apply proves the API before it is published.
  debug = {
    parameters = { codes = "CH,SE" }
    expect = {
      min_rows = 2
      json = {
        "/data/totalNum"    = "2"
        "/data/rows/0/name" = jsonencode("Switzerland")
      }
    }
  }
}

resource "dataservice_publication" "regions" {
  api_id       = dataservice_api.regions.id
  api_revision = dataservice_api.regions.revision
}

output "url" {
  description = "Where the API is called once it is published."
  value       = dataservice_publication.regions.url
}
