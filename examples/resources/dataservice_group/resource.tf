resource "dataservice_group" "sales" {
  name        = "sales"
  description = "All that is sold, and to whom."
}
