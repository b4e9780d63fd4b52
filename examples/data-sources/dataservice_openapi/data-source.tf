# What can be called in RELEASE, for everybody who calls it.
data "dataservice_openapi" "release" {}

output "contract" {
  value = data.dataservice_openapi.release.yaml
}

data "dataservice_published_api" "countries" {
  api_id = "countries" # an id, a number or a name
}

# One API, as it is live.
data "dataservice_openapi" "countries" {
  publication_id = data.dataservice_published_api.countries.publication_id
}

# Where its calls go; none where its instance has no host name.
output "servers" {
  value = lookup(jsondecode(data.dataservice_openapi.countries.json), "servers", [])[*].url
}

# What will end, and when: notices have been given.
output "deprecated" {
  value = merge([
    for path, item in jsondecode(data.dataservice_openapi.release.json).paths : {
      for method, operation in item : "${upper(method)} ${path}" => operation["x-sunset"] if lookup(operation, "deprecated", false)
    }
  ]...)
}
