# Rows of a MyBatis script, published.

provider "dataservice" {
  endpoint = var.endpoint
  token    = var.token
}

resource "dataservice_connection" "orders" {
  name   = "orders"
  engine = "SQLITE"
  file   = "orders.db"
}

resource "dataservice_api" "orders" {
  name          = "orders"
  path          = "/orders"
  auth_type     = "NONE"
  connection_id = dataservice_connection.orders.id

  script = {
    sql_mode = "MYBATIS"
    table    = "orders"
    sql      = var.sql
  }

  request_parameters = {
    region = { type = "STRING", example = "north" }
    ids    = { type = "INT_LIST" }
  }

  response_parameters = {
    id     = { type = "INT" }
    amount = { type = "DOUBLE" }
  }

  debug = {
    expect = {
      status   = 200
      min_rows = 2
      json     = { "/data/0/id" = "1", "/errCode" = "0" }
    }
  }
}

resource "dataservice_publication" "orders" {
  api_id       = dataservice_api.orders.id
  api_revision = dataservice_api.orders.revision
}

data "dataservice_published_api" "orders" {
  api_id         = dataservice_publication.orders.api_id
  environment_id = dataservice_publication.orders.environment_id
}

variable "endpoint" {
  type    = string
  default = null
}

variable "token" {
  type      = string
  default   = null
  sensitive = true
}

variable "sql" {
  type    = string
  default = <<-EOT
    SELECT id, amount FROM orders
    <where>
      <if test="region != null">AND region = #{region}</if>
      <if test="ids != null">AND id IN <foreach collection="ids" item="id" open="(" separator="," close=")">#{id}</foreach></if>
    </where>
    ORDER BY id
  EOT
}
