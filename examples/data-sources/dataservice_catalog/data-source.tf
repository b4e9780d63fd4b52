# What can be called in RELEASE.
data "dataservice_catalog" "release" {}

output "urls" {
  value = { for api in data.dataservice_catalog.release.apis : api.name => api.url }
}

# What will end, and when: notices have been given.
output "ending" {
  value = { for api in data.dataservice_catalog.release.apis : api.name => api.deadline if api.deadline != null }
}

# Some of what is live elsewhere.
data "dataservice_catalog" "dev" {
  environment_id = "DEV"
  search         = "country"
}
