# The connections to PostgreSQL.
list "dataservice_connection" "postgresql" {
  provider         = dataservice
  include_resource = true

  config {
    engine = "POSTGRESQL"
  }
}
