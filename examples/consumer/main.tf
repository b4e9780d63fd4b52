# A consumer's pipeline. It makes an app, asks for the right to call an API, waits for the
# decision of somebody on the API's side, gets the app's secret and makes a first call.
#
# Its identity needs no more than the role VISITOR. The secret is in no state and no plan.

terraform {
  required_providers {
    dataservice = {
      source = "dataservice/dataservice"
    }
  }
}

provider "dataservice" {}

variable "api" {
  description = "Name of the API to call, as the catalog has it."
  type        = string
  default     = "regions_by_name"
}

variable "rotation" {
  description = "Another value makes a new secret, such as one a month."
  type        = string
  default     = "1"
}

variable "credentials_file" {
  description = "Where the consumer's program finds its key and secret."
  type        = string
  default     = "credentials.env"
}

data "dataservice_published_api" "regions" {
  api_id = var.api
}

resource "dataservice_app" "atlas" {
  name                   = "atlas"
  description            = "Prints maps."
  rotation               = var.rotation
  rotation_overlap_hours = 24 # the program may go on with the former secret that long
}

# The app's owner asks, and somebody on the API's side decides: see reviewer/main.tf.
resource "dataservice_authorization" "regions" {
  api_id    = data.dataservice_published_api.regions.id
  app_id    = dataservice_app.atlas.id
  remark    = "Names on maps."
  revoke_as = "APP" # a destroy gives the right up, at once
}

# Without a decision, a review waits for one. Where the environment needs no review there
# is none to wait for: leave this out.
resource "dataservice_review" "access" {
  review_id = dataservice_authorization.regions.review_id

  timeouts = {
    create = "4h"
  }
}

ephemeral "dataservice_app_credentials" "atlas" {
  app_id = dataservice_app.atlas.id
}

# The key and the secret go to a file that its owner alone can read. A secret store with a
# write-only argument, such as secret_string_wo of aws_secretsmanager_secret_version,
# takes them in the same way.
resource "terraform_data" "credentials" {
  triggers_replace = [dataservice_app.atlas.id, dataservice_app.atlas.rotation, var.credentials_file]

  provisioner "local-exec" {
    command = "umask 077 && printf 'DATASERVICE_APP_KEY=%s\nDATASERVICE_APP_SECRET=%s\n' \"$KEY\" \"$SECRET\" > \"$FILE\""
    environment = {
      FILE   = var.credentials_file
      KEY    = ephemeral.dataservice_app_credentials.atlas.key
      SECRET = ephemeral.dataservice_app_credentials.atlas.secret
    }
  }
}

# One signed call shows that all of it works, after the decision and after each rotation.
resource "terraform_data" "first_call" {
  triggers_replace = [dataservice_authorization.regions.id, terraform_data.credentials.id]
  depends_on       = [dataservice_review.access]

  provisioner "local-exec" {
    command = "bash \"${path.module}/call.sh\" \"$URL\" 'name=S%'"
    environment = {
      URL                    = data.dataservice_published_api.regions.url
      DATASERVICE_APP_KEY    = ephemeral.dataservice_app_credentials.atlas.key
      DATASERVICE_APP_SECRET = ephemeral.dataservice_app_credentials.atlas.secret
    }
  }
}

output "url" {
  value = data.dataservice_published_api.regions.url
}

output "review_id" {
  description = "What the reviewers decide on."
  value       = dataservice_authorization.regions.review_id
}
