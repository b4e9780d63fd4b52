provider "dataservice" {
  endpoint = var.endpoint
  token    = var.token
}

resource "dataservice_app" "shop" {
  name                   = var.name
  description            = var.description
  type                   = var.type
  webhook_url            = var.webhook_url
  owner                  = var.owner
  rotation               = var.rotation
  rotation_overlap_hours = var.overlap
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

variable "name" {
  type    = string
  default = "shop"
}

variable "description" {
  type    = string
  default = null
}

variable "type" {
  type    = string
  default = null
}

variable "webhook_url" {
  type    = string
  default = null
}

variable "owner" {
  type    = string
  default = null
}

variable "rotation" {
  type    = string
  default = null
}

variable "overlap" {
  type    = number
  default = null
}
