data "dataservice_published_api" "orders" {
  api_id = "orders"
}
