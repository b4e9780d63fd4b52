# From development to production with one module. Development follows the definition;
# production has the revision that was promoted, until the next one is:
#
#   terraform apply -var production_revision=2
#
# Each environment reads from its own database, and demands what is right for it. What an
# environment demands is set by admins, so the token is an admin's. Promoting is for
# reviewers: with the reviewer right it happens at once, without it goes to review.

terraform {
  required_providers {
    dataservice = {
      source = "dataservice/dataservice"
    }
  }
}

provider "dataservice" {}

variable "production_revision" {
  description = "The revision that is promoted; the newest where absent."
  type        = number
  default     = null
}

# Development publishes at once, and takes offline without notice. Production is RELEASE,
# which is there from the start and demands both.
resource "dataservice_environment" "development" {
  name            = "DEV"
  description     = "Where developers try what they write."
  review_required = false
  notice_hours    = 0
}

resource "dataservice_connection" "development" {
  name   = "world_development"
  engine = "SQLITE"
  file   = "world_development.db"
}

resource "dataservice_connection" "production" {
  name   = "world_production"
  engine = "SQLITE"
  file   = "world.db"
}

module "currencies" {
  source        = "./api"
  connection_id = dataservice_connection.development.id

  environments = {
    development = {
      environment_id = dataservice_environment.development.id
      connection_id  = dataservice_connection.development.id
    }
    production = {
      connection_id = dataservice_connection.production.id
      api_revision  = var.production_revision
    }
  }
}

output "live_revisions" {
  value = module.currencies.live_revisions
}
