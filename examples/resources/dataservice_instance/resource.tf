resource "dataservice_instance" "partners" {
  name        = "partners"
  description = "What partners call."
  host_names  = ["api.partners.example.com"]
}

# APIs are published to one of its environments, such as the RELEASE that it comes with.
output "partners_release" {
  value = dataservice_instance.partners.release_environment_id
}
