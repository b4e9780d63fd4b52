# What is to be called, as the catalog has it.
data "dataservice_published_api" "countries" {
  api_id = "countries" # an id, a number or a name
}

resource "dataservice_app" "shop" {
  name = "shop"
}

# With the reviewer right, or where the environment needs no review, the app may call at
# once; otherwise this is an application, and review_id names it.
resource "dataservice_authorization" "shop" {
  api_id = data.dataservice_published_api.countries.id
  app_id = dataservice_app.shop.id
  until  = "2030-12-31T23:00:00Z" # can be moved to a later time
  remark = "The web shop lists countries."

  timeouts = {
    delete = "49h" # the default notice is 48 hours
  }
}

resource "dataservice_app" "reports" {
  name = "reports"
}

# The consumer's side: a destroy gives the right up, at once.
resource "dataservice_authorization" "reports" {
  api_id    = data.dataservice_published_api.countries.id
  app_id    = dataservice_app.reports.id
  revoke_as = "APP"
}
