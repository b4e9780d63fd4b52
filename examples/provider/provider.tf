terraform {
  required_providers {
    dataservice = {
      source  = "dataservice/dataservice"
      version = "~> 0.1"
    }
  }
}

# Every argument can come from the environment instead, so that the same
# configuration serves a laptop and a pipeline.
provider "dataservice" {
  endpoint = "https://dataservice.example.com"
  # token = var.token, or better: the environment variable DATASERVICE_TOKEN
}
