# An app with a key and a secret. No secret is in the state: the ephemeral resource
# dataservice_app_credentials reads them.
resource "dataservice_app" "shop" {
  name        = "shop"
  description = "The web shop."
  webhook_url = "https://shop.example.com/dataservice-notices"

  rotation               = "2026-11" # another value makes a new secret
  rotation_overlap_hours = 48        # in which the one before is valid too
}

# An app that stands for its owner and calls with that member's tokens.
resource "dataservice_app" "reports" {
  name = "reports"
  type = "IAM"
}
