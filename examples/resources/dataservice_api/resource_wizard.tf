# Wizard mode: rows of a table, chosen and sorted by its columns, without any SQL.
resource "dataservice_api" "regions" {
  name          = "regions"
  path          = "/regions"
  auth_type     = "NONE"
  connection_id = dataservice_connection.world.id

  wizard = {
    table = "regions"
    paged = true
    order_by = [
      { column = "continent" },
      { column = "name", descending = true },
    ]
  }

  request_parameters = {
    # A condition of a parameter that a call does not pass is left out.
    continent = { type = "STRING", example = "Europe" }
    name      = { type = "STRING", operator = "LIKE", example = "S%" }
    codes     = { type = "STRING_LIST", operator = "IN", column = "code", example = "CH,SE" }
  }

  response_parameters = {
    code   = { type = "STRING", description = "ISO 3166-1 alpha-2." }
    name   = { type = "STRING" }
    number = { type = "INT", column = "m49", description = "UN M49." }
  }

  rate_limit        = { requests = 100 } # per second, by all callers together
  cache_ttl_seconds = 60
}
