provider "dataservice" {}

resource "dataservice_connection" "file" {
  name        = "x"
  engine      = "SQLITE"
  file        = "../etc/passwd"
  host        = "127.0.0.1"
  password_wo = "x"
}

resource "dataservice_connection" "server" {
  name                = "server"
  engine              = "POSTGRESQL"
  file                = "orders.db"
  port                = 70000
  password_wo_version = 1
}
