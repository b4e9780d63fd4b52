// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"maps"
	"slices"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// definition is an API's definition as a page shows it.
type definition struct {
	service.Definition
	// Connection is the name of the one that it reads from.
	Connection string
	SQL        [][]token
	Parameters []parameterRow
	Responses  []responseRow
	Errors     []errorRow
}

func (c *console) definition(v *visit, d service.Definition) definition {
	d = d.WithDefaults()
	shown := definition{Definition: d, Connection: c.connectionName(v, d.ConnectionID)}
	if d.Script != nil {
		shown.SQL = sqlLines(d.Script.SQL)
	}
	for _, name := range slices.Sorted(maps.Keys(d.RequestParameters)) {
		shown.Parameters = append(shown.Parameters, parameterRow{Name: name, RequestParameter: d.RequestParameters[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(d.ResponseParameters)) {
		shown.Responses = append(shown.Responses, responseRow{name, d.ResponseParameters[name]})
	}
	for _, code := range slices.Sorted(maps.Keys(d.ErrorCodes)) {
		shown.Errors = append(shown.Errors, errorRow{code, d.ErrorCodes[code]})
	}
	return shown
}

// connectionName is the name of a connection, and its id where it is there no more.
func (c *console) connectionName(v *visit, id string) string {
	if id == "" {
		return ""
	}
	conn, err := c.Service.Connection(v, v.caller, id)
	if err != nil {
		return id
	}
	return conn.Name
}

// differ sets two states of an API side by side.
func (c *console) differ(v *visit, before, after service.Version) (difference, error) {
	return differ(before, after, func(pointer, value string) string {
		if pointer == "/connection_id" {
			return c.connectionName(v, value)
		}
		return value
	})
}
