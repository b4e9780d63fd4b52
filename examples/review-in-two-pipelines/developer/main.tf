# The developer's pipeline. It asks for the publication and for the right of an app to
# call it, waits for the decisions of somebody in the reviewers' pipeline, and goes on
# once they are made.
#
# A rejection ends the wait at once, with the reviewer's name and comment. Where
# the wait is cancelled or runs into its timeout, the next run goes on waiting for
# the same applications.

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
  auth_type     = "APP"
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

# The app that calls it belongs to the developer, and a reviewer lets it in. Asked for
# along with the publication, it may call from the moment that both are approved.
resource "dataservice_app" "exchange" {
  name        = "exchange"
  description = "Shows prices in the currency of the visitor."
}

resource "dataservice_authorization" "exchange" {
  api_id    = dataservice_api.currencies.id
  app_id    = dataservice_app.exchange.id
  remark    = "Prices in the web shop."
  revoke_as = "APP" # a destroy gives the right up, at once
}

resource "dataservice_review" "access" {
  review_id = dataservice_authorization.exchange.review_id

  timeouts = {
    create = "4h"
  }
}

# Whatever must not happen before the approvals depends on them: here, the note that
# tells a deployment system which version is live.
resource "terraform_data" "release" {
  input = {
    url      = dataservice_publication.currencies.url
    revision = dataservice_review.approval.api_revision
    approved = dataservice_review.approval.reviewer
    access   = dataservice_review.access.reviewer
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

output "access_review_id" {
  value = dataservice_authorization.exchange.review_id
}

output "release" {
  value = terraform_data.release.output
}
