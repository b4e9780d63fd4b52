// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package auth_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/auth"
)

// recordedAt is within 15 minutes of every request in testdata.
var recordedAt = time.Date(2026, 11, 22, 1, 6, 0, 0, time.UTC)

// dummies are the access keys that the requests in testdata were signed with.
var dummies = map[string]service.Secret{
	"DUMMYAK000000000000": "DUMMYSK", "DUMMYAK": "DUMMYSK", "DUMMYAKID": "DUMMYSECRET", "DUMMYTEMPAK": "DUMMYSK",
}

// replica is one process on a store, with a clock that a test moves.
type replica struct {
	*auth.Verifier
	t       testing.TB
	service *lifecycle.Service
	now     time.Time
	// admin is who made the store; nobody where it was there already.
	admin lifecycle.Caller
}

// Now is the replica's time.
func (s *replica) Now() time.Time { return s.now }

// newReplica opens the store, and makes the dummies access keys of the first workspace,
// each of a member of its own, where they are not there yet.
func newReplica(t testing.TB, dsn string) *replica {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	store, err := sqlstore.Open(context.Background(), sqlstore.Options{Keys: sqlstore.Keys{{1}}, DSN: dsn, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	router := gateway.New(gateway.Options{Store: store, Logger: quiet})
	t.Cleanup(router.Close)
	s := &replica{t: t, now: recordedAt}
	s.service = lifecycle.New(lifecycle.Options{Store: store, Router: router, Clock: s, Logger: quiet})
	s.Verifier = auth.New(s.service)
	ctx := context.Background()
	token, created, err := s.service.Bootstrap(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !created {
		return s
	}
	m, w, err := s.service.Authenticate(ctx, token.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	admin := lifecycle.Caller{Member: m, Workspace: w}
	s.admin = admin
	for id, secret := range dummies {
		m, err := s.service.CreateMember(ctx, admin, service.MemberInput{Name: id, Role: service.RoleDeveloper})
		if err != nil {
			t.Fatal(err)
		}
		k := service.AccessKey{ID: id, WorkspaceID: w.ID, MemberID: m.ID, CreatedAt: s.now}
		if err := store.Update(ctx, func(tx lifecycle.Tx) error { return tx.CreateAccessKey(ctx, k, secret) }); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func newSQLiteReplica(t testing.TB) *replica {
	t.Helper()
	return newReplica(t, "sqlite:"+filepath.Join(t.TempDir(), "store.db"))
}

// recorded reads a request that a vendor's client made, just as it was sent.
func recorded(t testing.TB, name string) *http.Request {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "requests", name+".http"))
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := bytes.Cut(data, []byte("\n\n"))
	wire := append(bytes.ReplaceAll(head, []byte("\n"), []byte("\r\n")), "\r\n\r\n"...)
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(append(wire, body...))))
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "192.0.2.1:1234"
	return r
}

// huawei returns who made the request, by the name of the member.
func (s *replica) huawei(r *http.Request) (string, error) {
	c, err := s.Huawei(httptest.NewRecorder(), r)
	return c.Member.Name, err
}

func (s *replica) alibaba(r *http.Request) (auth.RPC, error) {
	return s.Alibaba(httptest.NewRecorder(), r)
}

func bodyOf(t testing.TB, r *http.Request) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
