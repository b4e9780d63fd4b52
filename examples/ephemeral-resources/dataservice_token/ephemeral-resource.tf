# A second identity for this run: what the reviewer does is done as the reviewer. An admin's
# token makes tokens for others.
ephemeral "dataservice_token" "reviewer" {
  member     = "reviewer"
  expires_in = "15m"
}

provider "dataservice" {
  alias = "reviewer"
  token = ephemeral.dataservice_token.reviewer.token
}

# What waits for a decision, as the reviewer sees it.
data "dataservice_reviews" "waiting" {
  provider = dataservice.reviewer
  status   = "PENDING"
}
