# From development to production with one module. Development follows the definition;
# production has the revision that was promoted, until the next one is:
#
#   terraform apply -var production_revision=2
#
# Each environment reads from its own database.

terraform {
  required_providers {
    dataservice = {
      source = "dataservice/dataservice"
    }
  }
}

provider "dataservice" {}

variable "development_environment_id" {
  description = "Id of the environment that developers publish to."
  type        = string
}

variable "production_revision" {
  description = "The revision that is promoted; the newest where absent."
  type        = number
  default     = null
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
      environment_id = var.development_environment_id
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
