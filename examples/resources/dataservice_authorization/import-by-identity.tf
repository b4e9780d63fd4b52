import {
  to = dataservice_authorization.shop
  identity = {
    id = "01990c0c6f0a7c3a9d1e5b7f00445566"
  }
}
