# RELEASE of the workspace's instance "default".
data "dataservice_environment" "production" {
  name = "RELEASE"
}

# That of another instance.
data "dataservice_environment" "partners" {
  name          = "RELEASE"
  instance_name = "partners" # or instance_id
}

# A policy that others set can be demanded.
check "four_eyes" {
  assert {
    condition     = data.dataservice_environment.production.four_eyes
    error_message = "Nobody looks at what is published in ${data.dataservice_environment.production.name} but its author."
  }
}
