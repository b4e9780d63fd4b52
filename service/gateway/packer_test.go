// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// What a gateway keeps of its routes for its disk takes a small part of what is written there.
func TestWhatIsKeptOfRoutesTakesLittleMemory(t *testing.T) {
	k := &kept{changed: make(chan struct{}, 1)}
	n := news{}
	const routes = 500
	whole := 0
	for i := range routes {
		d := service.Definition{
			Path: fmt.Sprintf("/orders/%d", i), Method: service.MethodGet, AuthType: service.AuthNone,
			Script:             &service.Script{SQL: fmt.Sprintf("SELECT id, customer, total, currency FROM orders WHERE id = ${id} AND region = %d", i%7)},
			RequestParameters:  map[string]service.RequestParameter{"id": {Type: service.TypeLong, Required: true}},
			ResponseParameters: map[string]service.ResponseParameter{"id": {Type: service.TypeLong}, "customer": {Type: service.TypeString}, "total": {Type: service.TypeDouble}},
		}
		r := record{publication: service.Publication{
			ID: fmt.Sprintf("%026d", i), APIName: fmt.Sprintf("orders_%d", i), Status: service.StatusPublished, EnvironmentID: "e",
			Live: &service.Version{ID: fmt.Sprintf("v%025d", i), Name: "V1", Definition: d},
		}, connection: service.Connection{ConnectionSpec: service.ConnectionSpec{Name: "orders", Host: "db.example.com", Database: "orders"}}}
		n.records = append(n.records, r)
		line, err := json.Marshal(keptLine{Record: keepRecord(r)})
		if err != nil {
			t.Fatal(err)
		}
		whole += len(line)
	}
	if err := k.update(scope{all: true}, n); err != nil {
		t.Fatal(err)
	}
	packed := 0
	var buffer []byte
	for key, line := range k.lines {
		packed += len(line)
		var err error
		if buffer, err = k.packer.unpack(line, buffer); err != nil {
			t.Fatal(err)
		}
		var got keptLine
		if err := json.Unmarshal(buffer, &got); err != nil || !bytes.HasSuffix(buffer, []byte("\n")) {
			t.Fatalf("the line is %q: %v", buffer, err)
		}
		if key.kind == keptOfRecord && got.Record.Publication.ID != key.id {
			t.Errorf("under %s is kept %s", key.id, got.Record.Publication.ID)
		}
	}
	t.Logf("%d bytes of a record take %d", whole/routes, packed/routes)
	if packed > whole/4 {
		t.Errorf("%d bytes are kept of %d", packed, whole)
	}
}
