# One API in any number of environments. The definition is written once, and each
# environment reads from its own database.

terraform {
  required_providers {
    dataservice = {
      source = "dataservice/dataservice"
    }
  }
}

variable "environments" {
  description = "Where the API is to be, by a name of your own."
  type = map(object({
    environment_id = optional(string) # RELEASE where absent
    connection_id  = string
    api_revision   = optional(number) # the newest where absent
  }))
}

variable "connection_id" {
  description = "The connection that the definition is checked and test-called with."
  type        = string
}

resource "dataservice_api" "currencies" {
  name          = "currencies_of"
  path          = "/currencies-of"
  method        = "GET"
  auth_type     = "NONE"
  connection_id = var.connection_id

  script = {
    sql = <<-SQL
      SELECT code, symbol
        FROM currencies
        JOIN region_currencies ON currency_code = code
       WHERE region_code = $${region}
       ORDER BY code
    SQL
  }

  request_parameters = {
    region = { type = "STRING", required = true, example = "CH", description = "ISO 3166-1 alpha-2." }
  }

  response_parameters = {
    code   = { type = "STRING", description = "ISO 4217." }
    symbol = { type = "STRING" }
  }
}

resource "dataservice_publication" "currencies" {
  for_each       = var.environments
  api_id         = dataservice_api.currencies.id
  environment_id = each.value.environment_id
  connection_id  = each.value.connection_id
  api_revision   = coalesce(each.value.api_revision, dataservice_api.currencies.revision)
}

# What is live, or waits for review. The live revision alone is no output: it changes when
# somebody approves, and a plan shows changed outputs.
output "revisions" {
  value = { for name, p in dataservice_publication.currencies : name => p.api_revision }
}
