# By the id; those of the instance "default" also by the name.
terraform import dataservice_environment.release DEFAULT_ENVIRONMENT_RELEASE_ID
