import {
  to = dataservice_workspace.finance
  identity = {
    id = "01990c0c6f0a7c3a9d1e5b7f00112288"
  }
}
