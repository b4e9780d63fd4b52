# The workspaces, to an admin of the workspace "default".
list "dataservice_workspace" "all" {
  provider         = dataservice
  include_resource = true
}
