# A second identity for this run: what the reviewer does is done as the reviewer.
ephemeral "dataservice_token" "reviewer" {
  member     = "reviewer"
  expires_in = "15m"
}

provider "dataservice" {
  alias = "reviewer"
  token = ephemeral.dataservice_token.reviewer.token
}
