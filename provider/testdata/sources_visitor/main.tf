# What a consumer looks up.

provider "dataservice" {}

data "dataservice_catalog" "release" {}

data "dataservice_apis" "drafts" {
  count = var.drafts ? 1 : 0
}

output "live" {
  value = join(" ", data.dataservice_catalog.release.apis[*].name)
}

variable "drafts" {
  type    = bool
  default = false
}
