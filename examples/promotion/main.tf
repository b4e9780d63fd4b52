# From development to production with one module. Development follows the definition;
# production has the revision that was promoted, until the next one is:
#
#   terraform apply -var production_revision=2
#
# Keep that number in a file such as production.auto.tfvars: without it production
# follows the definition too.
#
# Each environment reads from its own database, and demands what is right for it. Both
# databases are those of the quickstart here:
#
#   go run ./examples/quickstart/world dataservice-data/databases/world.db
#   go run ./examples/quickstart/world dataservice-data/databases/world_development.db
#
# What an environment demands is set by admins, so the token is an admin's, such as the
# one in dataservice-data/admin.token. With the reviewer right promoting happens at once,
# without it goes to review. The guide "From development to production" tells it slowly.

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

output "revisions" {
  value = module.currencies.revisions
}
