resource "dataservice_member" "ci" {
  name = "ci"
  role = "DEVELOPER"

  # Who gets its APIs and apps when it is destroyed.
  hand_over_to = dataservice_member.lead.name
}

resource "dataservice_member" "lead" {
  name     = "lead"
  role     = "DEVELOPER"
  reviewer = true
}
