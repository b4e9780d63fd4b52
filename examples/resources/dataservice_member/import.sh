# By the id or the name.
terraform import dataservice_member.ci ci
