locals {
  cities_sql = "SELECT name FROM cities WHERE country = $${country} AND name LIKE $${pattern} ORDER BY name"

  # What is known of some of them.
  cities_parameters = {
    country = { required = true, description = "ISO 3166-1 alpha-2." }
  }
}

# Every parameter of the script is declared, and a new one needs no second line.
resource "dataservice_api" "cities" {
  name          = "cities"
  path          = "/cities"
  auth_type     = "NONE"
  connection_id = dataservice_connection.world.id
  script        = { sql = local.cities_sql }

  request_parameters = {
    for name in provider::dataservice::script_parameters(local.cities_sql) :
    name => merge({ type = "STRING", required = false, description = null }, try(local.cities_parameters[name], {}))
  }

  response_parameters = {
    name = { type = "STRING" }
  }
}

# A script with tags of MyBatis.
output "search_parameters" {
  value = provider::dataservice::script_parameters("SELECT name FROM cities <where><if test=\"q != null\">name LIKE #{q}</if></where>", "MYBATIS")
}
