# A SQLite file below the service's --sqlite-dir.
resource "dataservice_connection" "world" {
  name   = "world"
  engine = "SQLITE"
  file   = "world.db"
}

# A PostgreSQL database. The password is write-only: it is in no state and no plan.
resource "dataservice_connection" "orders" {
  name     = "orders"
  engine   = "POSTGRESQL"
  host     = "db.example.com"
  database = "orders"
  username = "api_reader"
  ssl_mode = "verify-full"

  password_wo         = var.orders_password
  password_wo_version = 1 # count it up to send a changed password
}

# A MySQL or MariaDB database; one engine is for both.
resource "dataservice_connection" "shop" {
  name     = "shop"
  engine   = "MYSQL"
  host     = "mysql.example.com"
  database = "shop"
  username = "api_reader" # GRANT SELECT ON shop.* TO api_reader
  ssl_mode = "verify-full"

  password_wo         = var.shop_password
  password_wo_version = 1
}

variable "orders_password" {
  type      = string
  ephemeral = true
}

variable "shop_password" {
  type      = string
  ephemeral = true
}
