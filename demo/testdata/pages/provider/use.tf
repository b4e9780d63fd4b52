# Copyright The dataservice Authors
# SPDX-License-Identifier: MPL-2.0

variable "endpoint" {
  type = string
}

# Nothing configures a provider that nothing uses.
data "dataservice_environment" "release" {
  name = "RELEASE"
}
