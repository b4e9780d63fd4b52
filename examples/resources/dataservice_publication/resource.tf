resource "dataservice_publication" "countries" {
  api_id       = dataservice_api.countries.id
  api_revision = dataservice_api.countries.revision # a changed definition is published anew
  remark       = "Adds the currencies."

  timeouts = {
    delete = "30m"
  }
}
