# By the id or the name.
terraform import dataservice_group.sales 01990c0c6f0a7c3a9d1e5b7f00112244
