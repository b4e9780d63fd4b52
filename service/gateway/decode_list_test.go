// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// lists is a route with a parameter per type of list.
func lists(paged bool) *route {
	rt := &route{method: service.MethodGet, path: "/items", environmentName: "RELEASE", paged: paged, index: map[string]int{}}
	for i, p := range []parameter{
		{name: "ids", kind: service.TypeLongList, required: true},
		{name: "names", kind: service.TypeStringList},
		{name: "counts", kind: service.TypeIntList},
		{name: "prices", kind: service.TypeDoubleList},
		{name: "weights", kind: service.TypeFloatList},
		{name: "flags", kind: service.TypeBooleanList},
	} {
		rt.parameters = append(rt.parameters, p)
		rt.index[p.name] = i
	}
	return rt
}

func TestABadListOrPageIsNamedInASentence(t *testing.T) {
	array := func(text string) string { return url.QueryEscape(text) }
	long := strings.TrimSuffix(strings.Repeat("1,", service.MaxListElements+1), ",")
	for _, test := range []struct {
		name, query string
		paged       bool
		code        *ErrorCode
		parameter   string
		message     string
	}{
		{"missing", "names=a", false, errMissingParameter, "ids", `The parameter "ids" is required and missing: add it to the query string as a list of LONG.`},
		{"repeated", "ids=1&ids=2", false, errRepeatedParameter, "ids", `The parameter "ids" is there more than once: send it once. A list is one value with commas or a JSON array.`},
		{"unknown, as other systems write it", "ids[]=1", false, errUnknownParameter, "ids[]", `This API has no parameter "ids[]": remove it, or check its spelling.`},
		{"a text among numbers", "ids=1,two,3", false, errInvalidParameter, "ids", `The value of parameter "ids" at position 2 must be a whole number of 64 bits.`},
		{"a text among numbers in an array", "ids=" + array(`[1,"two"]`), false, errInvalidParameter, "ids", `The value of parameter "ids" at position 2 must be a whole number of 64 bits.`},
		{"null in an array", "ids=" + array(`[null]`), false, errInvalidParameter, "ids", `The value of parameter "ids" at position 1 must be a whole number of 64 bits.`},
		{"nothing between commas", "ids=1,,2", false, errInvalidParameter, "ids", `The value of parameter "ids" at position 2 must be a whole number of 64 bits.`},
		{"an array that does not end", "ids=" + array(`[1,2`), false, errInvalidParameter, "ids", `The value of parameter "ids" must be a list with commas or a JSON array.`},
		{"beyond 32 bits", "ids=1&counts=1,2147483648", false, errInvalidParameter, "counts", `The value of parameter "counts" at position 2 must be a whole number from -2147483648 to 2147483647.`},
		{"no number", "ids=1&prices=1.5,NaN", false, errInvalidParameter, "prices", `The value of parameter "prices" at position 2 must be a number.`},
		{"a float beyond its range", "ids=1&weights=1e39", false, errInvalidParameter, "weights", `The value of parameter "weights" at position 1 must be a number.`},
		{"no truth value", "ids=1&flags=true,yes", false, errInvalidParameter, "flags", `The value of parameter "flags" at position 2 must be "true" or "false".`},
		{"a NUL in a text", "ids=1&names=a,b%00", false, errInvalidParameter, "names", `The value of parameter "names" at position 2 must not contain the character U+0000.`},
		{"too many elements", "ids=" + long, false, errInvalidParameter, "ids", fmt.Sprintf(`The value of parameter "ids" has %d elements; %d is the most.`, service.MaxListElements+1, service.MaxListElements)},
		{"over-long", "ids=1&names=" + strings.Repeat("x", MaxValueLength+1), false, errLongParameter, "names", `The value of parameter "names" has 32769 bytes; 32768 is the most.`},
		{"no UTF-8", "ids=1&names=a,%ff", false, errMalformedQuery, "names", `The value of parameter "names" is not percent-encoded UTF-8.`},

		{"an empty page", "ids=1&pageNum=", true, errInvalidPage, "pageNum", `The value of parameter "pageNum" must be a whole number from 1 to 2147483647.`},
		{"a page as a fraction", "ids=1&pageNum=1.0", true, errInvalidPage, "pageNum", `The value of parameter "pageNum" must be a whole number from 1 to 2147483647.`},
		{"a page of another sign", "ids=1&pageNum=-1", true, errInvalidPage, "pageNum", `The value of parameter "pageNum" must be a whole number from 1 to 2147483647.`},
		{"a page beyond the last there can be", "ids=1&pageNum=2147483648", true, errInvalidPage, "pageNum", `The value of parameter "pageNum" must be a whole number from 1 to 2147483647.`},
		{"an over-long page", "ids=1&pageNum=" + strings.Repeat("9", MaxValueLength+1), true, errInvalidPage, "pageNum", `The value of parameter "pageNum" must be a whole number from 1 to 2147483647.`},
		{"a page as a list", "ids=1&pageSize=1,2", true, errInvalidPage, "pageSize", `The value of parameter "pageSize" must be a whole number from 1 to 1000.`},
		{"a page size twice", "ids=1&pageSize=5&pageSize=5", true, errRepeatedParameter, "pageSize", `The parameter "pageSize" is there more than once: send it once. A list is one value with commas or a JSON array.`},
		{"a page size twice, once by another encoding", "ids=1&pageSize=5&p%61geSize=5", true, errRepeatedParameter, "pageSize", `The parameter "pageSize" is there more than once: send it once. A list is one value with commas or a JSON array.`},
		{"a page by another case", "ids=1&pagenum=1", true, errUnknownParameter, "pagenum", `This API has no parameter "pagenum": remove it, or check its spelling.`},
		{"a size where there are no pages", "ids=1&pageSize=1", false, errUnknownParameter, "pageSize", `This API is not paged and has no parameter "pageSize": remove it.`},
		{"a page that is no UTF-8", "ids=1&pageNum=%ff", true, errMalformedQuery, "pageNum", `The value of parameter "pageNum" is not percent-encoded UTF-8.`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var a arguments
			f := a.decode(lists(test.paged), test.query)
			if f == nil {
				t.Fatalf("decoded as %v, page %d of %d", a.values, a.pageNum, a.pageSize)
			}
			if f.code != test.code || f.parameter != test.parameter || f.message != test.message {
				t.Errorf("\n got %s, parameter %q: %s\nwant %s, parameter %q: %s",
					f.code.Name, f.parameter, f.message, test.code.Name, test.parameter, test.message)
			}
		})
	}
}
