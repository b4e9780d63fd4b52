# The reviewer's side: a decision on one revision of one publication. It has a
# state of its own, and runs with a token that carries the reviewer right.

terraform {
  required_providers {
    dataservice = {
      source = "dataservice/dataservice"
    }
  }
}

provider "dataservice" {}

resource "dataservice_review" "decision" {
  publication_id = var.publication_id
  api_revision   = var.api_revision
  decision       = var.decision
  comment        = var.comment
}

variable "publication_id" {
  description = "The publication that asks for the review."
  type        = string
}

variable "api_revision" {
  description = "The revision that is decided on. A newer one needs a new decision."
  type        = number
}

variable "decision" {
  description = "APPROVE or REJECT."
  type        = string
  default     = "APPROVE"
}

variable "comment" {
  description = "Why. A rejection needs it."
  type        = string
  default     = null
}

output "status" {
  value = dataservice_review.decision.status
}

output "reviewer" {
  value = dataservice_review.decision.reviewer
}
