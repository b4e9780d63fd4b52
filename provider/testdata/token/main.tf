provider "dataservice" {
  endpoint = var.endpoint
  token    = var.token
}

resource "dataservice_group" "sales" {
  name = "sales"
}

ephemeral "dataservice_token" "own" {}

ephemeral "dataservice_token" "theirs" {
  member      = var.member
  description = "for a test"
  expires_in  = "5m"

  lifecycle {
    postcondition {
      condition     = startswith(self.token, "dst_") && self.member_name == var.member
      error_message = "This is no token of that member."
    }
  }
}

variable "endpoint" {
  type    = string
  default = null
}

variable "token" {
  type      = string
  default   = null
  sensitive = true
}

variable "member" { type = string }
