// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestAnswersAreLaidOutForReading(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"rows stand on lines of their own", `{"data":{"totalNum":2,"rows":[{"code":"AD","name":"Andorra"},{"code":"AT","name":null}]},"errCode":0}`, `
{
  "data": {
    "totalNum": 2,
    "rows": [
      {"code": "AD", "name": "Andorra"},
      {"code": "AT", "name": null}
    ]
  },
  "errCode": 0
}`},
		{"an empty list stays short", `{"data":[]}`, "\n{\n  \"data\": []\n}"},
		{"commas and colons in texts stay as they are", `{"rows":[{"a":"x,y:\",z"}]}`, "\n{\n  \"rows\": [\n    {\"a\": \"x,y:\\\",z\"}\n  ]\n}"},
		{"long numbers keep their digits", `{"n":9007199254740993}`, "\n{\n  \"n\": 9007199254740993\n}"},
		{"what is not JSON comes back as it is", `502 Bad Gateway`, "\n502 Bad Gateway"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := "\n" + pretty([]byte(c.body)); got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestAScreenThatIsNoTerminalHasNoColour(t *testing.T) {
	var out bytes.Buffer
	s := &screen{out: &out}
	s.heading("The service starts")
	s.command("operator", "dataservice serve")
	s.output("one\n\ntwo\n")
	want := "\n 1. The service starts\n\n    operator $ dataservice serve\n    | one\n    |\n    | two\n"
	if out.String() != want {
		t.Errorf("got %q\nwant %q", out.String(), want)
	}
	s.colour = true
	s.heading("It stops")
	if !strings.Contains(out.String(), bold+" 2. It stops") {
		t.Errorf("no bold heading on a terminal: %q", out.String())
	}
}
