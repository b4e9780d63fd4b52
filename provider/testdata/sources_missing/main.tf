# What is not there, or not for everybody.

provider "dataservice" {}

data "dataservice_api" "name" {
  name = "ordres"
}

data "dataservice_api" "number" {
  number = 1
}

# That of somebody else.
data "dataservice_api" "hidden" {
  name = "hidden"
}

# A number, where a name is asked for.
data "dataservice_api" "number_for_name" {
  name = "100001"
}

data "dataservice_catalog" "environment" {
  environment_id = "STAGIN"
}

data "dataservice_environment" "name" {
  name          = "STAGIN"
  instance_name = "europe"
}

data "dataservice_environment" "id" {
  id = "0123456789abcdef0123456789abcdef"
}

data "dataservice_environment" "instance" {
  name          = "RELEASE"
  instance_name = "asia"
}

data "dataservice_openapi" "environment" {
  environment_id = "STAGINGS"
}

data "dataservice_openapi" "publication" {
  publication_id = "0123456789abcdef0123456789abcdef"
}
