# terraform apply -invoke=action.dataservice_api_debug.orders
action "dataservice_api_debug" "orders" {
  config {
    api_id     = dataservice_api.orders.id
    parameters = { region = "north" }
  }
}
