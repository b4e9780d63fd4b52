# A decision, made with a token that carries the reviewer right.
resource "dataservice_review" "decision" {
  publication_id = "01990c0c6f0a7c3a9d1e5b7f00112233"
  api_revision   = 3
  decision       = "APPROVE"
  comment        = "The query uses the index now."
}

# A wait for somebody else's decision. What depends on it happens after the approval.
resource "dataservice_review" "gate" {
  publication_id = dataservice_publication.countries.id
  api_revision   = dataservice_publication.countries.api_revision

  timeouts = {
    create = "8h"
  }
}
