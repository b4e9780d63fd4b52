# By the id, which the native API lists.
terraform import dataservice_authorization.shop 01990c0c6f0a7c3a9d1e5b7f00445566
