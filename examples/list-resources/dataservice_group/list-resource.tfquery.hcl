# The groups with that text in their name.
list "dataservice_group" "sales" {
  provider         = dataservice
  include_resource = true

  config {
    name_contains = "sales"
  }
}
