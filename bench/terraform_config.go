// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"fmt"
)

// manyAPIs is a configuration of n APIs and their publications, as they look where a
// team publishes its tables. Each has a block of its own: how long Terraform takes to
// expand for_each is not the question here.
func manyAPIs(n int, connectionID, stateAddress string, changed bool) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, `terraform {
  required_providers {
    dataservice = {
      source = "dataservice/dataservice"
    }
  }
  backend "http" {
    address = %q
  }
}
`, stateAddress)
	for i := range n {
		description := "Items of one category within a range of prices, one page at a time."
		if changed && i == 0 {
			description = "Items of one category within a range of prices."
		}
		fmt.Fprintf(&text, apiBlocks, i, connectionID, description)
	}
	return text.Bytes()
}

// apiBlocks are an API and its publication: number, connection, and the description of a
// parameter, which belongs to the definition.
const apiBlocks = `
resource "dataservice_api" "items_%04[1]d" {
  name          = "Items_%04[1]d"
  description   = "Items by category and price, for the shop's front end."
  path          = "/bench/items/%04[1]d"
  auth_type     = "APP"
  timeout_ms    = 5000
  connection_id = %[2]q
  script = {
    sql   = <<-SQL
      SELECT id, name, category, price, quantity
      FROM items
      WHERE id >= $${after} AND id < $${after} + 100
        AND category = $${category}
        AND price >= $${price_from} AND price < $${price_to}
        AND quantity >= $${quantity}
      ORDER BY id
    SQL
    table = "items"
    paged = true
  }
  request_parameters = {
    after      = { type = "LONG", default = "0", description = "Id of the item after which the page begins." }
    category   = { type = "STRING", required = true, example = "books", description = %[3]q }
    price_from = { type = "DOUBLE", default = "0", description = "Least price." }
    price_to   = { type = "DOUBLE", default = "1000", description = "Price that is too much." }
    quantity   = { type = "INT", default = "1", description = "At least so many in stock." }
  }
  response_parameters = {
    id       = { type = "LONG", description = "Id of the item." }
    name     = { type = "STRING", example = "item 000001", description = "What it is called." }
    category = { type = "STRING", example = "books", description = "Where it is found." }
    price    = { type = "DOUBLE", example = "9.95", description = "Price in euros." }
    quantity = { type = "INT", example = "12", description = "How many are in stock." }
  }
}

resource "dataservice_publication" "items_%04[1]d" {
  api_id       = dataservice_api.items_%04[1]d.id
  api_revision = dataservice_api.items_%04[1]d.revision
}
`
