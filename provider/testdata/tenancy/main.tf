provider "dataservice" {
  endpoint = var.endpoint
  token    = var.token
}

resource "dataservice_workspace" "finance" {
  name        = "finance"
  description = var.changed ? "All about money." : null
}

resource "dataservice_instance" "partners" {
  name       = "partners"
  host_names = var.changed ? ["partners.example.com"] : ["b.example.com", "a.example.com"]
}

resource "dataservice_environment" "staging" {
  name        = "staging"
  instance_id = dataservice_instance.partners.id

  review_required  = var.changed
  four_eyes        = var.changed
  notice_hours     = var.changed ? 24 : 0
  breaking_changes = var.changed ? "forbid" : null
  rate_limit       = var.changed ? { requests = 100, period_seconds = 60 } : null
}

resource "dataservice_environment" "plain" {
  name = "DEV"
}

resource "dataservice_member" "ci" {
  name         = "ci"
  role         = var.changed ? "DEVELOPER" : "OPERATOR"
  reviewer     = var.changed
  hand_over_to = var.changed ? "rev" : null
}

variable "endpoint" {
  type    = string
  default = null
}

variable "token" {
  type    = string
  default = null
}

variable "changed" {
  type    = bool
  default = false
}
