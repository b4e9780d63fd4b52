import {
  to = dataservice_member.ci
  id = "ci"
}
