# What one app may call.
list "dataservice_authorization" "active" {
  provider         = dataservice
  include_resource = true

  config {
    app_id = "01990c0c6f0a7c3a9d1e5b7f00112255"
    status = "ACTIVE"
  }
}
