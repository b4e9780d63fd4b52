# Every mistake that a plan finds without the service.

provider "dataservice" {}

data "dataservice_api" "nothing" {}

data "dataservice_api" "two" {
  id   = "orders"
  name = "orders"
}

data "dataservice_apis" "bad" {
  group_id     = "sales"
  folder_id    = "orders"
  mode         = "SQL"
  visibility   = "PUBLIC"
  debug_status = "OK"
  owner        = ""
  search       = ""
}

data "dataservice_catalog" "bad" {
  environment_id = ""
  mode           = "script"
}

data "dataservice_reviews" "bad" {
  status         = "OPEN"
  kind           = "SUSPEND"
  api_id         = "orders"
  api_revision   = 0
  environment_id = "RELEASE"
  publication_id = "1"
  applicant      = ""
  limit          = 0
}

data "dataservice_environment" "nothing" {
  instance_id = "default"
}

data "dataservice_environment" "two" {
  id            = "RELEASE"
  instance_name = "default"
}
