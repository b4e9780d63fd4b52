// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/internal/measured"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
)

// gatewayErrors tells every errCode of the gateway.
func gatewayErrors() string {
	var rows [][]string
	for _, e := range gateway.Errors() {
		rows = append(rows, []string{
			code(fmt.Sprint(e.Code)), fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status)),
			code(e.Name), e.Meaning, e.Solution,
		})
	}
	return table([]string{"errCode", "HTTP status", "name", "what happened", "what to do"}, rows)
}

// metrics tells everything that a part of the service counts and measures.
func metrics(p measured.Part) string {
	var rows [][]string
	for _, m := range p.Metrics {
		labels := ""
		if len(m.Labels) > 0 {
			labels = "`" + strings.Join(m.Labels, "`, `") + "`"
		}
		rows = append(rows, []string{code(m.Name), m.Type, labels, m.Meaning})
	}
	return table([]string{"metric", "type", "labels", "what it tells"}, rows)
}
