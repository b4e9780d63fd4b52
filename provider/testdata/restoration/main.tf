# A decision on an application that is named by its id.

provider "dataservice" {}

resource "dataservice_review" "restoration" {
  review_id = var.review_id
  decision  = "APPROVE"
}

variable "review_id" {
  type = string
}
