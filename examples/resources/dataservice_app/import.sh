# By the id or the name. The first value of rotation after an import rotates nothing.
terraform import dataservice_app.shop 01990c0c6f0a7c3a9d1e5b7f00112255
