import {
  to = dataservice_instance.partners
  id = "partners"
}
