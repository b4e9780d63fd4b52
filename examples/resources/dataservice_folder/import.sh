# By the id or the number.
terraform import dataservice_folder.orders 01990c0c6f0a7c3a9d1e5b7f00112255
