// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func TestAConnectionIsCheckedWithoutBeingStored(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	dev := h.member(t, "dev", service.RoleDeveloper, false)
	outside := filepath.Join(t.TempDir(), "outside.db")
	writeNumbers(t, outside)
	if err := os.Symlink(outside, filepath.Join(h.dir, "link.db")); err != nil {
		t.Fatal(err)
	}
	in := func(file string) service.ConnectionInput {
		return service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "checked", Engine: service.EngineSQLite, File: file}}
	}
	for _, ref := range []string{"", h.conn.ID} {
		if found := must(h.ValidateConnection(h.ctx, dev, ref, in("numbers.db")))(t); len(found.Warnings) != 0 {
			t.Errorf("a connection that works has the warnings %+v", found.Warnings)
		}
		// The database may be there when the connection is stored.
		if found := must(h.ValidateConnection(h.ctx, dev, ref, in("absent.db")))(t); len(found.Warnings) != 1 || found.Warnings[0].Pointer != "/file" {
			t.Errorf("a file that there is not has the warnings %+v", found.Warnings)
		}
		_, err := h.ValidateConnection(h.ctx, dev, ref, in("link.db"))
		wantCode(t, err, service.CodeConnectionFailed, "leads outside")
		_, err = h.ValidateConnection(h.ctx, dev, ref, in(""))
		wantCode(t, err, service.CodeInvalid, "needs the file")
	}
	_, err := h.ValidateConnection(h.ctx, dev, "nowhere", in("numbers.db"))
	wantCode(t, err, service.CodeNotFound)
	_, err = h.ValidateConnection(h.ctx, h.member(t, "op", service.RoleOperator, false), "", in("numbers.db"))
	wantCode(t, err, service.CodeForbidden)
	if l := must(h.Connections(h.ctx, dev, lifecycle.Page{}))(t); len(l.Items) != 1 || l.Items[0].File != "numbers.db" {
		t.Errorf("there are the connections %+v", l.Items)
	}
}
