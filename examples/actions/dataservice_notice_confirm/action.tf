# terraform apply -invoke=action.dataservice_notice_confirm.shop
action "dataservice_notice_confirm" "shop" {
  config {
    app_id = dataservice_app.shop.id
  }
}

resource "dataservice_app" "shop" {
  name = "shop"
}
