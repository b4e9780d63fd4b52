# Every mistake that a plan finds without the service.

provider "dataservice" {}

resource "dataservice_workspace" "bad" {
  name = "9 lives"
}

resource "dataservice_instance" "bad" {
  name       = "partners"
  host_names = ["http://example.com/"]
}

resource "dataservice_environment" "named" {
  name        = "staging"
  instance_id = "partners"
}

resource "dataservice_environment" "bad" {
  name             = "s"
  review_required  = false
  four_eyes        = true
  notice_hours     = -1
  breaking_changes = "hide"
  rate_limit       = { requests = 0 }
}

resource "dataservice_member" "bad" {
  name     = "op er"
  role     = "OPERATOR"
  reviewer = true
}

ephemeral "dataservice_token" "bad" {
  expires_in = "9000h"
}

ephemeral "dataservice_token" "fraction" {
  expires_in = "1500ms"
}

# Nothing is said of what is not known yet.
resource "dataservice_environment" "unknown" {
  name        = "staging"
  instance_id = dataservice_instance.bad.id
}
