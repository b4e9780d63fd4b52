resource "dataservice_group" "sales" {
  name = "sales"
}

# Directly in the group.
resource "dataservice_folder" "orders" {
  name     = "Orders"
  group_id = dataservice_group.sales.id
}

# In another folder.
resource "dataservice_folder" "returns" {
  name      = "Returns"
  group_id  = dataservice_group.sales.id
  parent_id = dataservice_folder.orders.id
}
