// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package wire_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

func TestABodyIsReadOrToldWhyNot(t *testing.T) {
	type parameters struct {
		Name  string
		Paras []struct{ Name string }
	}
	bounded := func(text string) io.Reader {
		return http.MaxBytesReader(nil, io.NopCloser(strings.NewReader(text)), 50)
	}
	for name, test := range map[string]struct {
		body      io.Reader
		fault     wire.BodyFault
		parameter string
	}{
		"as it should be":       {bounded(`{"name": "a", "more": 1}` + "\n"), "", ""},
		"too much":              {bounded(`{"name": "` + strings.Repeat("a", 50) + `"}`), wire.BodyTooLarge, ""},
		"broken off":            {iotest.ErrReader(errors.New("gone")), wire.BodyBroken, ""},
		"no JSON":               {bounded("x"), wire.BodyMalformed, ""},
		"nothing":               {bounded(""), wire.BodyMalformed, ""},
		"another kind":          {bounded("[]"), wire.BodyMalformed, ""},
		"two":                   {bounded("{}{}"), wire.BodyMalformed, ""},
		"another type":          {bounded(`{"name": 1}`), wire.BodyWrongType, "Name"},
		"another type, further": {bounded(`{"paras": [{"name": 1}]}`), wire.BodyWrongType, "Paras"},
	} {
		t.Run(name, func(t *testing.T) {
			var into parameters
			data, err := wire.ReadJSON(test.body, &into)
			var fault *wire.BodyError
			if errors.As(err, &fault) != (test.fault != "") {
				t.Fatalf("got %v", err)
			}
			if test.fault == "" {
				if into.Name != "a" || !strings.HasPrefix(string(data), "{") {
					t.Errorf("got %+v", into)
				}
				return
			}
			if fault.Fault != test.fault || fault.Parameter != test.parameter || fault.Error() == "" {
				t.Errorf("got %+v", fault)
			}
		})
	}
}
