// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"maps"
	"slices"
	"strconv"

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
	// Cut says that not all of it is shown, and Whole is the address of the page that does.
	Cut   bool
	Whole string
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
	if !v.whole() {
		shown.shorten()
		shown.Whole = v.sameWith("whole", "yes")
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

// shorten leaves out what is too long for a page.
func (d *definition) shorten() {
	var cut [4]bool
	d.SQL, cut[0] = cutLines(d.SQL, shownSQL)
	left := shownTables
	parameter := func(r parameterRow) int {
		return markupSize(r.Name + r.Description + valueOf(service.RequestParameter{Example: r.Default}))
	}
	d.Parameters, cut[1] = fit(d.Parameters, &left, parameter)
	d.Responses, cut[2] = fit(d.Responses, &left, func(r responseRow) int { return markupSize(r.Name + r.Description) })
	d.Errors, cut[3] = fit(d.Errors, &left, func(r errorRow) int { return markupSize(r.Code + r.Message + r.Solution) })
	var success, failure bool
	d.SuccessSample, success = excerpt(d.SuccessSample, shownText)
	d.FailureSample, failure = excerpt(d.FailureSample, shownText)
	d.Cut = success || failure || cut != [4]bool{}
}

// differ sets two states of an API side by side, and shows as much as a page can have.
func (c *console) differ(v *visit, before, after service.Version) (difference, error) {
	d, err := differ(before, after, v.whole(), func(pointer, value string) string {
		if pointer == "/connection_id" {
			return c.connectionName(v, value)
		}
		return value
	})
	if err != nil || v.whole() {
		return d, err
	}
	d.leaf(v.part())
	if d.Leafed() {
		d.Whole = v.sameWith("whole", "yes")
	}
	if d.Part > 1 {
		d.Earlier = v.sameWith("part", strconv.Itoa(d.Part-1))
	}
	if d.Part < d.Parts {
		d.Later = v.sameWith("part", strconv.Itoa(d.Part+1))
	}
	return d, nil
}
