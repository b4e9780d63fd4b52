# The environments of one instance.
list "dataservice_environment" "edge" {
  provider         = dataservice
  include_resource = true

  config {
    instance_id = "01990c0c6f0a7c3a9d1e5b7f00112266"
  }
}
