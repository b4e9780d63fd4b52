# Copyright The dataservice Authors
# SPDX-License-Identifier: MPL-2.0

variable "orders" {
  type = object({ host = string, port = number, database = string, username = string })
}

variable "shop" {
  type = object({ host = string, port = number, database = string, username = string })
}
