# The instances of the provider's workspace.
list "dataservice_instance" "all" {
  provider         = dataservice
  include_resource = true
}
