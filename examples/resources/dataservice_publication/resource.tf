# Live in RELEASE, or waiting for its review there: review_id names it then.
resource "dataservice_publication" "countries" {
  api_id       = dataservice_api.countries.id
  api_revision = dataservice_api.countries.revision # a changed definition is published anew
  remark       = "Adds the currencies."

  timeouts = {
    delete = "30m"
  }
}

resource "dataservice_api" "countries" {
  name          = "countries"
  path          = "/countries"
  auth_type     = "NONE"
  connection_id = dataservice_connection.world.id

  script = {
    sql = <<-SQL
      SELECT region_code, currency_code
        FROM region_currencies
       ORDER BY region_code
    SQL
  }

  response_parameters = {
    region_code   = { type = "STRING", description = "ISO 3166-1 alpha-2." }
    currency_code = { type = "STRING", description = "ISO 4217." }
  }
}

resource "dataservice_connection" "world" {
  name   = "world"
  engine = "SQLITE"
  file   = "world.db" # below the service's --sqlite-dir
}
