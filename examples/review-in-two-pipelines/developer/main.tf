# The developer's pipeline. It asks for the publication, waits for the decision of
# somebody in the reviewers' pipeline, and goes on once it is made.
#
# A rejection ends the wait at once, with the reviewer's name and comment. Where
# the wait is cancelled or runs into its timeout, the next run goes on waiting for
# the same application.

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

resource "dataservice_api" "currencies" {
  name          = "currencies"
  path          = "/currencies"
  method        = "GET"
  auth_type     = "NONE"
  connection_id = dataservice_connection.world.id

  script = {
    sql = <<-SQL
      SELECT code, symbol, digits, count(region_code) AS regions
        FROM currencies
        JOIN region_currencies ON currency_code = code
       GROUP BY code
      HAVING count(region_code) >= $${used_by}
       ORDER BY regions DESC, code
    SQL
  }

  request_parameters = {
    used_by = { type = "INT", default = "1", description = "Only currencies that this many regions use." }
  }

  response_parameters = {
    code    = { type = "STRING", description = "ISO 4217." }
    symbol  = { type = "STRING" }
    digits  = { type = "INT", description = "Behind the decimal point." }
    regions = { type = "INT" }
  }
}

resource "dataservice_publication" "currencies" {
  api_id       = dataservice_api.currencies.id
  api_revision = dataservice_api.currencies.revision
  remark       = var.remark
}

# Without a decision, a review waits for one.
resource "dataservice_review" "approval" {
  publication_id = dataservice_publication.currencies.id
  api_revision   = dataservice_publication.currencies.api_revision

  timeouts = {
    create = "4h"
  }
}

# Whatever must not happen before the approval depends on it: here, the note that
# tells a deployment system which version is live.
resource "terraform_data" "release" {
  input = {
    url      = dataservice_publication.currencies.url
    revision = dataservice_review.approval.api_revision
    approved = dataservice_review.approval.reviewer
  }
}

variable "remark" {
  description = "What the reviewer should know about this version."
  type        = string
  default     = null
}

output "publication_id" {
  value = dataservice_publication.currencies.id
}

output "release" {
  value = terraform_data.release.output
}
