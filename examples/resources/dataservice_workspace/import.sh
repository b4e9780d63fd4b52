# By the id, the number or the name.
terraform import dataservice_workspace.finance finance
