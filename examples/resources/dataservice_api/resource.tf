# A SQLite file below the service's --sqlite-dir.
resource "dataservice_connection" "world" {
  name   = "world"
  engine = "SQLITE"
  file   = "world.db"
}

resource "dataservice_api" "countries" {
  name          = "countries"
  path          = "/countries"
  method        = "GET"
  auth_type     = "NONE"
  timeout_ms    = 2000
  connection_id = dataservice_connection.world.id

  script = {
    sql   = "SELECT code, name FROM regions WHERE continent = $${continent} ORDER BY name"
    paged = true
  }

  request_parameters = {
    continent = {
      type        = "STRING"
      required    = true
      example     = "Europe"
      description = "Africa, Americas, Asia, Europe or Oceania."
    }
  }

  response_parameters = {
    code = { type = "STRING", description = "ISO 3166-1 alpha-2." }
    name = { type = "STRING" }
  }

  # The values of the test call that travels with each write. Without this block
  # each parameter's default, else its example, is used.
  debug = {
    parameters = { continent = "Asia" }
  }
}
