ephemeral "dataservice_app_credentials" "shop" {
  app_id = dataservice_app.shop.id
}

# Where credentials go is a write-only argument, such as that of a secret store, or a
# provisioner, such as this one: neither leaves them in a state.
resource "terraform_data" "handed_over" {
  triggers_replace = [dataservice_app.shop.id, dataservice_app.shop.rotation]

  provisioner "local-exec" {
    command = "printf %s \"$SECRET\" | vault kv put secret/shop/dataservice key=\"$KEY\" secret=-"
    environment = {
      KEY    = ephemeral.dataservice_app_credentials.shop.key
      SECRET = ephemeral.dataservice_app_credentials.shop.secret
    }
  }
}
