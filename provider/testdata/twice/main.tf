# The same things described twice.

provider "dataservice" {}

resource "dataservice_connection" "one" {
  name   = "orders"
  engine = "SQLITE"
  file   = "orders.db"
}

resource "dataservice_connection" "two" {
  name        = "orders"
  description = var.difference
  engine      = "SQLITE"
  file        = "orders.db"
}

variable "difference" {
  type    = string
  default = null
}
