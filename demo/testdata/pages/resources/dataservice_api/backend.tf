# Copyright The dataservice Authors
# SPDX-License-Identifier: MPL-2.0

variable "backend" {
  type = string
}
