data "dataservice_published_api" "orders" {
  api_id = "orders"
}

data "dataservice_api" "orders" {
  name = "orders"
}

data "dataservice_apis" "all" {}

data "dataservice_catalog" "all" {}

data "dataservice_reviews" "all" {}

data "dataservice_environment" "release" {
  name = "RELEASE"
}
