// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// decode reads the body of a call. What is not known is passed over, as the vendor does.
func (c *call) decode(into any) error {
	data, err := wire.ReadJSON(c.Body, into)
	c.raw = data
	var fault *wire.BodyError
	if !errors.As(err, &fault) {
		return err
	}
	switch fault.Fault {
	case wire.BodyTooLarge:
		return &failure{status: http.StatusRequestEntityTooLarge, Code: codeTooLarge, Message: "Request entity too large: " + fault.Message}
	case wire.BodyWrongType:
		return invalid(fault.Parameter, fault.Message)
	default:
		return &failure{status: http.StatusBadRequest, Code: codeMalformed, Message: fault.Message, cause: err}
	}
}

// refuseSet refuses what is set of an object that this service has nothing for, by the
// names of the table, which says why.
func refuseSet(object json.RawMessage, within string, table map[string]string) error {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(object, &members) // It was decoded: where it is no object, it is not there.
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if why, refused := table[name]; refused && !isUnset(members[name]) {
			return invalid(within+name, why)
		}
	}
	return nil
}

// isUnset reports whether a value says no more than that there is none.
func isUnset(value json.RawMessage) bool {
	switch strings.TrimSpace(string(value)) {
	case "null", "false", "0", `""`, "[]", "{}":
		return true
	}
	return false
}

// required refuses the first of the parameters that is missing: pairs of a name and a text.
func required(pairs ...string) error {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			return invalid(pairs[i], "it is missing")
		}
	}
	return nil
}
