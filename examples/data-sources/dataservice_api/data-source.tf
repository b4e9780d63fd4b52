# An API that another state defines, to publish it from here: whatever its developers
# changed is published by the next apply.
data "dataservice_api" "regions" {
  name = "regions" # or id, or number
}

resource "dataservice_publication" "regions" {
  api_id       = data.dataservice_api.regions.id
  api_revision = data.dataservice_api.regions.revision

  lifecycle {
    precondition {
      condition     = data.dataservice_api.regions.debug_status == "SUCCESS"
      error_message = "The test call of regions: ${coalesce(data.dataservice_api.regions.debug_message, "not made")}"
    }
  }
}
