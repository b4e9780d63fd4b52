# terraform apply -invoke=action.dataservice_review_cancel.regions
action "dataservice_review_cancel" "regions" {
  config {
    review_id = dataservice_publication.regions.review_id
    remark    = "the definition changes once more"
  }
}

resource "dataservice_publication" "regions" {
  api_id       = data.dataservice_api.regions.id
  api_revision = data.dataservice_api.regions.revision
}

data "dataservice_api" "regions" {
  name = "regions"
}
