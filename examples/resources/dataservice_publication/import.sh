# By the id. The error for a name that is taken tells it, and so does the native API.
terraform import dataservice_publication.countries 01990c0c6f0a7c3a9d1e5b7f00112233
