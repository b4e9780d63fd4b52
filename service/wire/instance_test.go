// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package wire_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

func TestAnInstanceIsNamedByIDNumberOrName(t *testing.T) {
	ctx := context.Background()
	quiet := slog.New(slog.DiscardHandler)
	store, err := sqlstore.Open(ctx, sqlstore.Options{Keys: sqlstore.Keys{{1}}, DSN: "sqlite:" + filepath.Join(t.TempDir(), "store.db"), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	router := gateway.New(gateway.Options{Store: store, Logger: quiet})
	t.Cleanup(func() {
		router.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	s := lifecycle.New(lifecycle.Options{Store: store, Router: router, Logger: quiet})
	token, _, err := s.Bootstrap(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m, w, err := s.Authenticate(ctx, token.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	admin := lifecycle.Caller{Member: m, Workspace: w}
	other, err := s.CreateInstance(ctx, admin, service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "partners"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, ref, want string }{
		{"none is named", "", service.DefaultInstance},
		{"by id", other.ID, "partners"},
		{"by number", strconv.FormatInt(other.Number, 10), "partners"},
		{"by name", "partners", "partners"},
		{"one that there is not", "elsewhere", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := wire.Instance(ctx, s, admin, test.ref)
			if got.Name != test.want || (test.want == "") != (service.ErrorCode(err) == service.CodeNotFound) {
				t.Errorf("%q, %v", got.Name, err)
			}
		})
	}
}
