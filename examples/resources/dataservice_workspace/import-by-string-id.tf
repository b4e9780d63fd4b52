import {
  to = dataservice_workspace.finance
  id = "finance"
}
