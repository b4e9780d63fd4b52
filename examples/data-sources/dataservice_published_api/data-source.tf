# What callers see of an API that somebody published, perhaps from another state.
data "dataservice_published_api" "countries" {
  api_id = "countries" # an id, a number or a name
}

output "countries_url" {
  value = data.dataservice_published_api.countries.url
}
