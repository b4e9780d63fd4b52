# What is published to RELEASE.
list "dataservice_publication" "live" {
  provider         = dataservice
  include_resource = true

  config {
    environment_id = "DEFAULT_ENVIRONMENT_RELEASE_ID"
    status         = "PUBLISHED"
  }
}
