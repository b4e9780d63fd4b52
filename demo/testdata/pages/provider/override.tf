# Copyright The dataservice Authors
# SPDX-License-Identifier: MPL-2.0

# The test's service in place of that of the example.
provider "dataservice" {
  endpoint = var.endpoint
}
