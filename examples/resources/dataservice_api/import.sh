# By id. The service's answers, and the error for a name that is taken, tell it.
terraform import dataservice_api.countries 01990c0c6f0a7c3a9d1e5b7f00112233
