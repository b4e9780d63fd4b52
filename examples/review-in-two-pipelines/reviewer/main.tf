# The reviewers' pipeline, with a state and a token of its own. It runs when somebody
# has read the application, for example on a merge into the reviewers' repository.

terraform {
  required_providers {
    dataservice = {
      source = "dataservice/dataservice"
    }
  }
}

provider "dataservice" {}

# What was decided: a record that can be read and reviewed. An entry for a publication
# names it and its revision; one for the right of an app to call names the review.
variable "decisions" {
  type = map(object({
    publication_id = optional(string)
    api_revision   = optional(number)
    review_id      = optional(string)
    decision       = string
    comment        = optional(string)
  }))
  default = {}
}

resource "dataservice_review" "decision" {
  for_each       = var.decisions
  publication_id = each.value.publication_id
  api_revision   = each.value.api_revision
  review_id      = each.value.review_id
  decision       = each.value.decision
  comment        = each.value.comment
}

output "decided" {
  value = { for key, review in dataservice_review.decision : key => "${review.status} by ${review.reviewer}" }
}
