// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package openapi

import (
	"github.com/danielgtaylor/huma/v2"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Names of the ways to prove who calls.
const (
	schemeSignature = "appSignature"
	schemeAppCode   = "appCode"
	schemeBearer    = "memberToken"
	schemeHeader    = "memberTokenHeader"
)

var securitySchemes = map[string]*huma.SecurityScheme{
	schemeSignature: {
		Type: "http", Scheme: "SDK-HMAC-SHA256",
		Description: "The signature of an authorized app's key and secret: `Authorization: SDK-HMAC-SHA256 Access=…, SignedHeaders=…, Signature=…`. " +
			"The header `X-Sdk-Date` has the time of signing in UTC, such as `20260131T235959Z`; it is signed, as are `X-Stage` and parameters in headers where they are sent.",
	},
	schemeAppCode: {
		Type: "apiKey", In: inHeader, Name: "X-Apig-AppCode",
		Description: "The AppCode of an authorized app; `Authorization: APPCODE …` will do as well.",
	},
	schemeBearer: {Type: "http", Scheme: "bearer", Description: "The token of a member whose app of type IAM is authorized."},
	schemeHeader: {Type: "apiKey", In: inHeader, Name: "X-Auth-Token", Description: "The same token in a header of its own."},
}

// security lists the ways to prove who calls, of which one will do; nil where nobody has to.
func (o operation) security() []map[string][]string {
	var names []string
	switch {
	case o.definition.AuthType == service.AuthIAM:
		names = []string{schemeBearer, schemeHeader}
	case o.definition.AuthType == service.AuthApp && o.definition.AllowAppCode:
		names = []string{schemeSignature, schemeAppCode}
	case o.definition.AuthType == service.AuthApp:
		names = []string{schemeSignature}
	}
	var ways []map[string][]string
	for _, name := range names {
		o.document.Components.SecuritySchemes[name] = securitySchemes[name]
		ways = append(ways, map[string][]string{name: {}})
	}
	return ways
}
