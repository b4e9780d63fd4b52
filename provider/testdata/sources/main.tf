# Everything that can be looked up, in one plan.

provider "dataservice" {}

data "dataservice_api" "by_name" {
  name = "orders"
}

data "dataservice_api" "by_number" {
  number = data.dataservice_api.by_name.number
}

data "dataservice_api" "by_id" {
  id = data.dataservice_api.by_number.id
}

data "dataservice_apis" "all" {}

data "dataservice_apis" "filed" {
  folder_id = data.dataservice_api.by_name.folder_id
}

data "dataservice_apis" "narrowed" {
  for_each = {
    group        = { group_id = data.dataservice_api.by_name.group_id }
    mode         = { mode = "SCRIPT" }
    visibility   = { visibility = "PRIVATE" }
    debug_status = { debug_status = "SUCCESS" }
    owner        = { owner = "rev" }
    search       = { search = "WERE ORDERED" }
    all_of_it    = { mode = "SCRIPT", visibility = "WORKSPACE", owner = "dev", search = "ord" }
    nothing      = { search = "100%" }
  }
  group_id     = lookup(each.value, "group_id", null)
  mode         = lookup(each.value, "mode", null)
  visibility   = lookup(each.value, "visibility", null)
  debug_status = lookup(each.value, "debug_status", null)
  owner        = lookup(each.value, "owner", null)
  search       = lookup(each.value, "search", null)
}

data "dataservice_catalog" "release" {}

data "dataservice_catalog" "narrowed" {
  for_each = {
    environment = { environment_id = data.dataservice_environment.release.id }
    stage       = { environment_id = data.dataservice_environment.stage.id }
    group       = { group_id = data.dataservice_api.by_name.group_id }
    folder      = { folder_id = data.dataservice_api.by_name.folder_id }
    mode        = { mode = "WIZARD" }
    search      = { search = "ORDERED" }
  }
  environment_id = lookup(each.value, "environment_id", "RELEASE")
  group_id       = lookup(each.value, "group_id", null)
  folder_id      = lookup(each.value, "folder_id", null)
  mode           = lookup(each.value, "mode", null)
  search         = lookup(each.value, "search", null)
}

data "dataservice_reviews" "all" {}

data "dataservice_reviews" "narrowed" {
  for_each = {
    status      = { status = "PENDING" }
    kind        = { kind = "AUTHORIZE" }
    api         = { api_id = data.dataservice_api.by_name.id }
    publication = { publication_id = data.dataservice_reviews.all.reviews[0].publication_id }
    environment = { environment_id = data.dataservice_environment.stage.id }
    applicant   = { applicant = "rev" }
    revision    = { api_revision = 2 }
    limit       = { limit = 1 }
  }
  status         = lookup(each.value, "status", null)
  kind           = lookup(each.value, "kind", null)
  api_id         = lookup(each.value, "api_id", null)
  publication_id = lookup(each.value, "publication_id", null)
  environment_id = lookup(each.value, "environment_id", null)
  applicant      = lookup(each.value, "applicant", null)
  api_revision   = lookup(each.value, "api_revision", null)
  limit          = lookup(each.value, "limit", null)
}

data "dataservice_environment" "release" {
  name = "RELEASE"
}

data "dataservice_environment" "stage" {
  name          = "STAGE"
  instance_name = "europe"
}

data "dataservice_environment" "beside" {
  name        = "RELEASE"
  instance_id = data.dataservice_environment.stage.instance_id
}

data "dataservice_environment" "by_id" {
  id = data.dataservice_environment.stage.id
}

output "names" {
  value = { for filter, list in data.dataservice_apis.narrowed : filter => join(" ", list.apis[*].name) }
}

# Those that are one of many.
output "pages" {
  value = {
    count  = length(data.dataservice_apis.all.apis)
    sorted = join(" ", data.dataservice_apis.all.apis[*].id) == join(" ", sort(data.dataservice_apis.all.apis[*].id))
    filed  = join(" ", data.dataservice_apis.filed.apis[*].name)
  }
}

output "catalog" {
  value = merge(
    { for filter, list in data.dataservice_catalog.narrowed : filter => join(" ", list.apis[*].name) },
    { all = join(" ", data.dataservice_catalog.release.apis[*].name), stage_name = data.dataservice_catalog.narrowed["stage"].environment_name },
  )
}

output "reviews" {
  value = merge(
    { for filter, list in data.dataservice_reviews.narrowed : filter => join(" ", [for r in list.reviews : "${r.kind}:${r.api_name}:${r.status}"]) },
    { all = join(" ", [for r in data.dataservice_reviews.all.reviews : "${r.kind}:${r.api_name}:${r.status}"]) },
  )
}

output "found" {
  value = {
    api      = data.dataservice_api.by_number
    same     = data.dataservice_api.by_id == data.dataservice_api.by_name
    listed   = data.dataservice_apis.filed.apis[0]
    live     = data.dataservice_catalog.release.apis[length(data.dataservice_catalog.release.apis) - 1]
    asked    = data.dataservice_reviews.all.reviews[0]
    decided  = data.dataservice_reviews.narrowed["api"].reviews[1]
    release  = data.dataservice_environment.release
    stage    = data.dataservice_environment.stage
    the_same = data.dataservice_environment.by_id == data.dataservice_environment.stage
    beside   = data.dataservice_environment.beside
  }
}

data "dataservice_openapi" "release" {}

data "dataservice_openapi" "narrowed" {
  environment_id = data.dataservice_environment.stage.id
  group_id       = data.dataservice_api.by_name.group_id
  folder_id      = data.dataservice_api.by_name.folder_id
  mode           = "SCRIPT"
  search         = "ORDERED"
}

data "dataservice_openapi" "orders" {
  publication_id = data.dataservice_catalog.narrowed["group"].apis[0].publication_id
}

output "openapi" {
  value = {
    version  = jsondecode(data.dataservice_openapi.release.json).openapi
    paths    = join(" ", sort(keys(jsondecode(data.dataservice_openapi.release.json).paths)))
    narrowed = join(" ", keys(jsondecode(data.dataservice_openapi.narrowed.json).paths))
    one      = join(" ", keys(jsondecode(data.dataservice_openapi.orders.json).paths))
    title    = jsondecode(data.dataservice_openapi.orders.json).info.title
    server   = jsondecode(data.dataservice_openapi.orders.json).servers[0].url
    same     = yamldecode(data.dataservice_openapi.orders.yaml) == jsondecode(data.dataservice_openapi.orders.json)
  }
}
