# A wait for somebody else's decision, in the developers' state. What depends on it happens
# after the approval.
resource "dataservice_review" "gate" {
  publication_id = dataservice_publication.regions.id
  api_revision   = dataservice_publication.regions.api_revision

  timeouts = {
    create = "8h"
  }
}

data "dataservice_api" "regions" {
  name = "regions"
}

resource "dataservice_publication" "regions" {
  api_id       = data.dataservice_api.regions.id
  api_revision = data.dataservice_api.regions.revision
}
