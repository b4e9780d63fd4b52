# A decision, made with a token that carries the reviewer right. The developers' state has
# what it is about: publication_id and api_revision.
resource "dataservice_review" "decision" {
  publication_id = var.publication_id
  api_revision   = var.api_revision
  decision       = "APPROVE"
  comment        = "The query uses the index now."
}

variable "publication_id" {
  description = "The publication that asks for the review."
  type        = string
}

variable "api_revision" {
  description = "The revision that is decided on. A newer one needs a new decision."
  type        = number
}
