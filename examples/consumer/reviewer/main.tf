# The reviewers' pipeline: who may call what, with a state and a token of its own.

terraform {
  required_providers {
    dataservice = {
      source = "dataservice/dataservice"
    }
  }
}

provider "dataservice" {}

# One entry for each application.
variable "decisions" {
  type = map(object({
    review_id = string
    decision  = string
    comment   = optional(string)
  }))
  default = {}
}

resource "dataservice_review" "decision" {
  for_each  = var.decisions
  review_id = each.value.review_id
  decision  = each.value.decision
  comment   = each.value.comment
}
