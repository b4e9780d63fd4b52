# Copyright The dataservice Authors
# SPDX-License-Identifier: MPL-2.0

# The test's backend in place of that of the example.
resource "dataservice_api" "order" {
  registration = {
    host         = var.backend
    path         = "/v1/orders/[id]/lines"
    content_type = "XML"
  }
}
