# A workspace, and what lies in it, in one configuration: the admin of the service makes
# the workspace, and a token for one run lets a second provider in.

provider "dataservice" {
  endpoint = var.endpoint
  token    = var.token
}

resource "dataservice_workspace" "finance" {
  name = "finance"
}

ephemeral "dataservice_token" "finance" {
  workspace  = dataservice_workspace.finance.id
  expires_in = "15m"
}

provider "dataservice" {
  alias     = "finance"
  endpoint  = var.endpoint
  token     = ephemeral.dataservice_token.finance.token
  workspace = dataservice_workspace.finance.id
}

resource "dataservice_group" "ledger" {
  provider = dataservice.finance
  name     = "ledger"
}

resource "dataservice_member" "controller" {
  provider = dataservice.finance
  name     = "controller"
  role     = "DEVELOPER"
}

variable "endpoint" {
  type    = string
  default = null
}

variable "token" {
  type      = string
  default   = null
  sensitive = true
}
