# Every mistake that a plan finds without the service.

provider "dataservice" {}

resource "dataservice_group" "bad" {
  name = "all sales"
}

resource "dataservice_folder" "bad" {
  name     = "a/b"
  group_id = ""
}

# Nothing is said of what is not known yet.
resource "dataservice_folder" "unknown" {
  name     = "orders"
  group_id = dataservice_group.bad.id
}
