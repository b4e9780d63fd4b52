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

data "dataservice_openapi" "two" {
  publication_id = "0123456789abcdef0123456789abcdef"
  mode           = "SCRIPT"
}

data "dataservice_openapi" "bad" {
  publication_id = "orders"
}
