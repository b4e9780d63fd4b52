resource "dataservice_app" "shop" {
  name     = "shop"
  rotation = "2026-11" # another value makes a new secret, which is handed over below
}

ephemeral "dataservice_app_credentials" "shop" {
  app_id = dataservice_app.shop.id
}

# Where credentials go is a write-only argument, such as that of a secret store, or a
# provisioner, such as this one: neither leaves them in a state.
resource "terraform_data" "handed_over" {
  triggers_replace = [dataservice_app.shop.id, dataservice_app.shop.rotation]

  provisioner "local-exec" {
    command = "umask 077 && printf 'KEY=%s\nSECRET=%s\n' \"$KEY\" \"$SECRET\" > shop.env"
    environment = {
      KEY    = ephemeral.dataservice_app_credentials.shop.key
      SECRET = ephemeral.dataservice_app_credentials.shop.secret
    }
  }
}
