// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"net/http"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// headerParameter is a request parameter that the caller passes in a header.
type headerParameter struct {
	// at is the index of the parameter.
	at int
	// key is the header's name in its canonical form.
	key string
}

// decodeHeaders reads the route's header parameters; other headers are nobody's fault.
func (a *arguments) decodeHeaders(rt *route, h http.Header) *failure {
	for _, p := range rt.proxy.headers {
		values := h[p.key]
		if len(values) == 0 || isHopByHop(h, p.key) {
			continue
		}
		name := rt.parameters[p.at].name
		if len(values) > 1 {
			return repeatedParameter(name)
		}
		if !service.FitsHeader(values[0]) {
			return failf(errInvalidParameter, name, "The value of parameter %q has control characters or characters beyond ASCII, which a header cannot have.", name)
		}
		if f := a.set(rt, p.at, values[0]); f != nil {
			return f
		}
	}
	return nil
}

// isHopByHop reports whether the header Connection names the header, so that it is for
// the gateway alone.
func isHopByHop(h http.Header, key string) bool {
	for _, value := range h["Connection"] {
		for option := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.Trim(option, " \t"), key) {
				return true
			}
		}
	}
	return false
}
