# terraform apply -invoke=action.dataservice_api_debug.countries
action "dataservice_api_debug" "countries" {
  config {
    api_id     = data.dataservice_api.countries.id
    parameters = { continent = "Asia" }
  }
}

data "dataservice_api" "countries" {
  name = "countries"
}
