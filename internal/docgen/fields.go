// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"strconv"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// numberCodes tells which name stands for which number of the source documents. The
// domain's lists are in the order of these numbers.
func numberCodes() string {
	fields := []struct {
		field, document string
		names           []string
	}{
		{"`mode`", "ApiMode", codes(service.Modes)},
		{"`method`", "RequestMethod", codes(service.Methods)},
		{"`protocols`", "Protocols", codes(service.Protocols)},
		{"`request_content_type`", "RequestContentType", codes(service.RequestContentTypes)},
		{"`response_content_type`, `registration.content_type`", "ResponseContentType`, `serviceContentType", codes(service.ResponseContentTypes)},
		{"`visibility`", "VisibleRange", codes(service.Visibilities)},
		{"`script.sql_mode`", "SqlMode", codes(service.SQLModes)},
		{"`position` of a parameter", "parameterPosition", codes(service.Positions)},
		{"`operator` of a parameter", "parameterOperator", codes(service.Operators)},
		{"`type` of a parameter", "parameterDataType", codes(service.ParameterTypes)},
	}
	rows := make([][]string, len(fields))
	for i, f := range fields {
		rows[i] = []string{f.field, code(f.document), strings.Join(f.names, ", ")}
	}
	return table([]string{"here", "document", "numbers"}, rows)
}

// codes are the names with their numbers, from 0.
func codes[T ~string](names []T) []string {
	c := make([]string, len(names))
	for i, n := range names {
		c[i] = strconv.Itoa(i) + " " + code(n)
	}
	return c
}
