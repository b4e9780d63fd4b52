resource "dataservice_workspace" "finance" {
  name        = "finance"
  description = "APIs on the ledgers."
}

# What lies in it is managed by a provider that belongs there.
ephemeral "dataservice_token" "finance" {
  workspace = dataservice_workspace.finance.id
}

provider "dataservice" {
  alias     = "finance"
  workspace = dataservice_workspace.finance.id
  token     = ephemeral.dataservice_token.finance.token
}

resource "dataservice_member" "controller" {
  provider = dataservice.finance
  name     = "controller"
  role     = "DEVELOPER"
}
