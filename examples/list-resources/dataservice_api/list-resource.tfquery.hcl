# The APIs of one group with that text in their name.
list "dataservice_api" "sales" {
  provider         = dataservice
  include_resource = true

  config {
    group_id      = "01990c0c6f0a7c3a9d1e5b7f00112244"
    name_contains = "order"
  }
}
