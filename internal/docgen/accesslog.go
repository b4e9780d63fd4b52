// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import "github.com/dataservice/terraform-provider-dataservice/service/accesslog"

// accessLogFields tells every field of a line of the access log.
func accessLogFields() string {
	var rows [][]string
	for _, f := range accesslog.Fields() {
		rows = append(rows, []string{code(f.Name), f.Type, f.Faces, f.Meaning})
	}
	return table([]string{"field", "type", "lines", "what it tells"}, rows)
}
