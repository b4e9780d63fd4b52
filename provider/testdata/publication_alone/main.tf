# A publication whose API somebody else defines.

provider "dataservice" {}

resource "dataservice_publication" "orders" {
  api_id       = var.api_id
  api_revision = var.api_revision
  remark       = var.remark
}

variable "api_id" {
  type = string
}

variable "api_revision" {
  type = number
}

variable "remark" {
  type    = string
  default = null
}
