# Registration mode: what an HTTP backend answers, with its parameters mapped.
resource "dataservice_api" "order" {
  name                  = "order"
  path                  = "/order"
  method                = "POST"
  auth_type             = "NONE"
  request_content_type  = "FORM"
  response_content_type = "XML"

  registration = {
    host         = "https://orders.example.com"
    path         = "/v1/orders/[id]/lines" # [id] is filled with the parameter id
    content_type = "XML"
  }

  request_parameters = {
    id      = { type = "LONG", position = "PATH", required = true, example = "7" }
    article = { type = "STRING", position = "BODY", required = true, example = "pencil" }
    amount  = { type = "INT", position = "BODY", default = "1" }
    dry_run = { type = "BOOLEAN", default = "false" }
    # A constant: the backend always gets it, and callers cannot pass anything else.
    x-channel = { type = "STRING", position = "HEADER", operator = "CONST", default = "gateway" }
  }

  error_codes = {
    E404 = { message = "There is no such order.", solution = "Check id." }
  }

  # A POST may change something at the backend: it is called only because of this block.
  debug = {
    parameters = { dry_run = "true" }
    expect     = { status = 202 }
  }
}
