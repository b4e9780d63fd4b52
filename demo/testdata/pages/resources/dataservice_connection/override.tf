# Copyright The dataservice Authors
# SPDX-License-Identifier: MPL-2.0

# The test's databases in place of those of the example. Nobody but the server's own
# superuser is sure to be there.
resource "dataservice_connection" "orders" {
  host            = var.orders.host
  port            = var.orders.port
  database        = var.orders.database
  username        = var.orders.username
  ssl_mode        = "disable"
  allow_superuser = true
}

resource "dataservice_connection" "shop" {
  host            = var.shop.host
  port            = var.shop.port
  database        = var.shop.database
  username        = var.shop.username
  ssl_mode        = "disable"
  allow_superuser = true
}
