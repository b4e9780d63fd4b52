// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
)

// openAPI is the control plane's own description.
type openAPI struct {
	text []byte // indented, for reading and comparing

	Tags []struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"tags"`
	Paths map[string]map[string]struct {
		Summary string   `json:"summary"`
		Tags    []string `json:"tags"`
	} `json:"paths"`
}

// openAPIDocument asks a control plane for its description, as a client would. It
// needs no store for that.
func openAPIDocument(ctx context.Context) (openAPI, error) {
	handler := controlplane.New(controlplane.Options{Logger: slog.New(slog.DiscardHandler), Version: "0"})
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodGet, "/openapi.json", nil))
	if answer.Code != http.StatusOK {
		return openAPI{}, fmt.Errorf("the control plane answered HTTP %d", answer.Code)
	}
	var d openAPI
	if err := json.Unmarshal(answer.Body.Bytes(), &d); err != nil {
		return openAPI{}, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, answer.Body.Bytes(), "", "  "); err != nil {
		return openAPI{}, err
	}
	d.text = append(bytes.TrimSpace(b.Bytes()), '\n')
	return d, nil
}

// operations lists every call by its tag.
func (d openAPI) operations() string {
	type operation struct{ path, method, summary string }
	byTag := map[string][]operation{}
	for path, methods := range d.Paths {
		for method, o := range methods {
			tag := ""
			if len(o.Tags) > 0 {
				tag = o.Tags[0]
			}
			byTag[tag] = append(byTag[tag], operation{path, strings.ToUpper(method), o.Summary})
		}
	}
	var b strings.Builder
	for _, tag := range d.Tags {
		operations := byTag[tag.Name]
		if len(operations) == 0 {
			continue
		}
		slices.SortFunc(operations, func(x, y operation) int {
			return cmp.Or(cmp.Compare(x.path, y.path), cmp.Compare(x.method, y.method))
		})
		fmt.Fprintf(&b, "### %s\n\n", tag.Name)
		if tag.Description != "" {
			fmt.Fprintf(&b, "%s\n\n", tag.Description)
		}
		rows := make([][]string, len(operations))
		for i, o := range operations {
			rows[i] = []string{code(o.method + " " + strings.TrimPrefix(o.path, "/api/v1/workspaces/{workspace}")), o.summary}
		}
		b.WriteString(table([]string{"call", "what it does"}, rows) + "\n")
	}
	return b.String()
}

// codes lists the codes of errors with what they mean.
func (openAPI) codes() (string, error) {
	explained, err := errorCodes()
	if err != nil {
		return "", err
	}
	var rows [][]string
	for _, e := range explained {
		rows = append(rows, []string{code(e.code), e.status, e.meaning})
	}
	return table([]string{"code", "HTTP status", "meaning"}, rows), nil
}
