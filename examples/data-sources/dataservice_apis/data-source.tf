# What is not fit for publishing, with whom to ask.
data "dataservice_apis" "failed" {
  group_id     = dataservice_group.sales.id
  debug_status = "FAILED"
}

output "failed" {
  value = { for api in data.dataservice_apis.failed.apis : api.name => api.owner_name }
}

# Filters narrow together.
data "dataservice_apis" "sql_on_orders" {
  mode   = "SCRIPT"
  search = "orders" # in name or description
}

resource "dataservice_group" "sales" {
  name = "sales"
}
