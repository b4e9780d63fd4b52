# What waits for a reviewer.
data "dataservice_reviews" "waiting" {
  status = "PENDING"
}

output "waiting" {
  value = [for r in data.dataservice_reviews.waiting.reviews : "${r.applicant}: ${r.kind} ${r.api_name} in ${r.environment_name}, ${r.url}"]
}

# Who may call an API because of whom: the last ten decisions.
data "dataservice_reviews" "access" {
  kind   = "AUTHORIZE"
  status = "APPROVED"
  api_id = data.dataservice_api.countries.id
  limit  = 10
}

data "dataservice_api" "countries" {
  name = "countries"
}
