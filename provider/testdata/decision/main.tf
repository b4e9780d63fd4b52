# The decision of a reviewer, in a state of its own.

provider "dataservice" {}

resource "dataservice_review" "decision" {
  publication_id = var.publication_id
  api_revision   = var.api_revision
  decision       = var.decision
  comment        = var.comment == "" ? null : var.comment
}

variable "publication_id" {
  type = string
}

variable "api_revision" {
  type = number
}

variable "decision" {
  type    = string
  default = null
}

variable "comment" {
  type    = string
  default = ""
}
