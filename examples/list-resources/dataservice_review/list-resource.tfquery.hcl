# The rejections, newest first.
list "dataservice_review" "rejected" {
  provider         = dataservice
  include_resource = true

  config {
    status = "REJECTED"
  }
}
