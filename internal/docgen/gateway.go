// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service/accesslog"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing/otlp"
	"github.com/dataservice/terraform-provider-dataservice/service/turnstile"
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

// metrics tells everything that the service counts and measures.
func metrics() string {
	var rows [][]string
	row := func(name, kind string, names []string, meaning string) {
		labels := ""
		if len(names) > 0 {
			labels = "`" + strings.Join(names, "`, `") + "`"
		}
		rows = append(rows, []string{code(name), kind, labels, meaning})
	}
	for _, m := range gateway.Metrics() {
		row(m.Name, m.Type, m.Labels, m.Meaning)
	}
	for _, m := range turnstile.Metrics() {
		row(m.Name, m.Type, m.Labels, m.Meaning)
	}
	for _, m := range otlp.Metrics() {
		row(m.Name, m.Type, m.Labels, m.Meaning)
	}
	for _, m := range accesslog.Metrics() {
		row(m.Name, m.Type, m.Labels, m.Meaning)
	}
	return table([]string{"metric", "type", "labels", "what it tells"}, rows)
}
