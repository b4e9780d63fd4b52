import {
  to = dataservice_environment.release
  id = "DEFAULT_ENVIRONMENT_RELEASE_ID"
}
