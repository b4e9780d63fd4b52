data "dataservice_api" "countries" {
  name = "countries"
}

# RELEASE, where no environment_id says otherwise.
data "dataservice_publication" "countries" {
  api_id = data.dataservice_api.countries.id
}

# Who put which version live, newest first.
output "history" {
  value = [for v in data.dataservice_publication.countries.versions : "${v.name} by ${v.live_by}, ${v.live_since}: ${coalesce(v.remark, "-")}"]
}
