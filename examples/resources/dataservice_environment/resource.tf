# Developers publish here at once, and suspend without notice.
resource "dataservice_environment" "dev" {
  name            = "DEV"
  review_required = false
  notice_hours    = 0
}

# RELEASE is there from the start: import it before the first apply.
resource "dataservice_environment" "release" {
  name             = "RELEASE"
  four_eyes        = true
  notice_hours     = 72
  breaking_changes = "forbid"

  rate_limit = {
    requests = 1000
  }
}
