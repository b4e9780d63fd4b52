import {
  to = dataservice_environment.release
  identity = {
    id = "01990c0c6f0a7c3a9d1e5b7f00112266"
  }
}
