# The admins.
list "dataservice_member" "admins" {
  provider         = dataservice
  include_resource = true

  config {
    role = "ADMIN"
  }
}
