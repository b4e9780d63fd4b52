provider "dataservice" {
  endpoint = var.endpoint
  token    = var.token
}

ephemeral "dataservice_app_credentials" "shop" {
  app_id = var.app
}

# What is opened is written to a state here, for the test to look at; nobody else does that.
provider "echo" {
  data = ephemeral.dataservice_app_credentials.shop
}

resource "echo" "credentials" {}

variable "endpoint" {
  type    = string
  default = null
}

variable "token" {
  type      = string
  default   = null
  sensitive = true
}

variable "app" {
  type    = string
  default = "shop"
}
