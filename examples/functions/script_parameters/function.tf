locals {
  regions_sql = "SELECT name FROM regions WHERE continent = $${continent} AND name LIKE $${pattern} ORDER BY name"

  # What is known of some of them.
  regions_parameters = {
    continent = { required = true, example = "Europe", description = "Africa, Americas, Asia, Europe or Oceania." }
    pattern   = { required = true, example = "S%", description = "A pattern: % stands for anything." }
  }
}

# Every parameter of the script is declared, and a new one needs no second line.
resource "dataservice_api" "regions" {
  name          = "regions_like"
  path          = "/regions/like"
  auth_type     = "NONE"
  connection_id = dataservice_connection.world.id
  script        = { sql = local.regions_sql }

  request_parameters = {
    for name in provider::dataservice::script_parameters(local.regions_sql) :
    name => merge({ type = "STRING", required = false, example = null, description = null }, try(local.regions_parameters[name], {}))
  }

  response_parameters = {
    name = { type = "STRING" }
  }
}

resource "dataservice_connection" "world" {
  name   = "world"
  engine = "SQLITE"
  file   = "world.db" # below the service's --sqlite-dir
}

# A script with tags of MyBatis.
output "search_parameters" {
  value = provider::dataservice::script_parameters("SELECT name FROM regions <where><if test=\"q != null\">name LIKE #{q}</if></where>", "MYBATIS")
}
