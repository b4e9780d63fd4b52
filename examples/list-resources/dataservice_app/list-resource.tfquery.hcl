# The apps of one member.
list "dataservice_app" "own" {
  provider         = dataservice
  include_resource = true

  config {
    owner = "admin"
  }
}
