provider "dataservice" {
  endpoint = var.endpoint
  token    = var.token
}

resource "dataservice_environment" "release" {
  name         = "RELEASE"
  notice_hours = 72
}

variable "endpoint" {
  type    = string
  default = null
}

variable "token" {
  type    = string
  default = null
}
