// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// commitMessage is how the driver asks for a commit: the text of a simple query.
var commitMessage = []byte("commit\x00")

// relay stands between a store and PostgreSQL. onCommit, where set, is given a COMMIT
// instead of the server, with both ends of the connection; the relay goes on with the
// connection where it returns true and cuts it where it returns false.
type relay struct {
	onCommit atomic.Pointer[func(message []byte, client, server net.Conn) bool]
}

// throughRelay returns a relay to the database and a DSN that leads there through it.
func throughRelay(t *testing.T, dsn string) (*relay, string) {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	r := &relay{}
	network, address := pgconn.NetworkAddress(config.Host, config.Port)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				continue
			}
			go r.serve(client, server)
		}
	}()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = listener.Addr().String()
	q := u.Query()
	q.Del("host")
	q.Del("port")
	q.Set("sslmode", "disable") // The relay has to see what is asked.
	u.RawQuery = q.Encode()
	return r, u.String()
}

// serve passes on what either end says until one of them or onCommit ends it.
func (r *relay) serve(client, server net.Conn) {
	defer client.Close()
	defer server.Close()
	answers := make(chan struct{})
	answer := func() {
		_, _ = io.Copy(client, server)
		close(answers)
	}
	go answer()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		message := buffer[:n]
		hook := r.onCommit.Load()
		if hook == nil || !bytes.HasSuffix(message, commitMessage) {
			if _, err := server.Write(message); err != nil {
				return
			}
			continue
		}
		// onCommit may want to read the answer itself: what copies it stops here.
		_ = server.SetReadDeadline(time.Unix(1, 0))
		<-answers
		_ = server.SetReadDeadline(time.Time{})
		if !(*hook)(message, client, server) {
			return
		}
		answers = make(chan struct{})
		go answer()
	}
}

func TestACommitWhoseAnswerIsLostHasAnUnknownOutcome(t *testing.T) {
	for name, c := range map[string]struct {
		onCommit  func(message []byte, client, server net.Conn) bool
		committed bool
	}{
		"the server committed and its answer was lost": {
			onCommit: func(message []byte, _, server net.Conn) bool {
				if _, err := server.Write(message); err == nil {
					_, _ = server.Read(make([]byte, 1024))
				}
				return false
			},
			committed: true,
		},
		"the commit never reached the server": {
			onCommit:  func([]byte, net.Conn, net.Conn) bool { return false },
			committed: false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, dsn := throughRelay(t, pgtest.Database(t))
			s := open(t, sqlstore.Options{DSN: dsn})
			workspaceID := fill(t, s, "x").WorkspaceID

			r.onCommit.Store(&c.onCommit)
			runs := 0
			err := s.Update(t.Context(), func(tx lifecycle.Tx) error {
				runs++
				return tx.CreateMember(t.Context(), member(workspaceID, "anna"))
			})
			r.onCommit.Store(nil)
			if !errors.Is(err, lifecycle.ErrOutcomeUnknown) || service.ErrorCode(err) != service.CodeUnavailable {
				t.Errorf("got the error %v (%v), want %s for an unknown outcome", err, errors.Unwrap(err), service.CodeUnavailable)
			}
			if runs != 1 {
				t.Errorf("the work was done %d times, want once: the first one may have counted", runs)
			}
			if got := hasMember(t, s, workspaceID, "anna"); got != c.committed {
				t.Errorf("the member is there: %v, want %v", got, c.committed)
			}
		})
	}
}

func TestACallerWhoHangsUpDuringACommitStillLearnsTheOutcome(t *testing.T) {
	r, dsn := throughRelay(t, pgtest.Database(t))
	s := open(t, sqlstore.Options{DSN: dsn})
	workspaceID := fill(t, s, "x").WorkspaceID

	ctx, hangUp := context.WithCancel(t.Context())
	onCommit := func(message []byte, client, server net.Conn) bool {
		hangUp()
		// A driver that gave up on the commit would close the connection now, or cancel.
		_ = client.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err := client.Read(make([]byte, 1)); !isTimeout(err) {
			t.Errorf("with its commit under way the store's connection: %v", err)
			return false
		}
		_ = client.SetReadDeadline(time.Time{})
		_, err := server.Write(message)
		return err == nil
	}
	r.onCommit.Store(&onCommit)
	err := s.Update(ctx, func(tx lifecycle.Tx) error { return tx.CreateMember(ctx, member(workspaceID, "anna")) })
	r.onCommit.Store(nil)
	if ctx.Err() == nil {
		t.Fatal("the relay saw no commit")
	}
	if err != nil {
		t.Errorf("got the error %v (%v), want none: it was committed", err, errors.Unwrap(err))
	}
	if !hasMember(t, s, workspaceID, "anna") {
		t.Error("the member is not there")
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

func member(workspaceID, name string) service.Member {
	return service.Member{ID: service.NewID(now), WorkspaceID: workspaceID, Name: name, Role: service.RoleVisitor, CreatedAt: now}
}

func hasMember(t *testing.T, s *sqlstore.Store, workspaceID, name string) bool {
	t.Helper()
	err := s.View(t.Context(), func(tx lifecycle.Tx) error {
		_, err := tx.Member(t.Context(), workspaceID, name)
		return err
	})
	if err != nil && service.ErrorCode(err) != service.CodeNotFound {
		t.Fatal(err, errors.Unwrap(err))
	}
	return err == nil
}
