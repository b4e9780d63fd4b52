// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// When all connections are in use for longer than one may wait for the lock, whoever comes
// is told so, and probes get through.
func TestAStoreThatIsAskedForTooMuchSaysSo(t *testing.T) {
	onEachEngine(t, func(t *testing.T, dsn string) {
		const lockWait = 200 * time.Millisecond
		s := open(t, sqlstore.Options{DSN: dsn, LockWait: lockWait})
		const most = 16 // more than either engine has
		entered, release, done := make(chan bool, 2*most), make(chan struct{}), make(chan error, most)
		for range most {
			go func() {
				in := false
				err := s.View(t.Context(), func(lifecycle.Tx) error {
					in = true
					entered <- true
					<-release
					return nil
				})
				if !in {
					entered <- false
					err = nil
				}
				done <- err
			}()
		}
		held := 0
		for range most {
			if <-entered {
				held++
			}
		}
		if held == 0 {
			t.Fatal("nobody got in")
		}
		nothing := func(lifecycle.Tx) error { return nil }
		calls := map[string]func() error{
			"View":   func() error { return s.View(t.Context(), nothing) },
			"Glance": func() error { return s.Glance(t.Context(), nothing) },
		}
		if !strings.HasPrefix(dsn, "sqlite:") { // there, who writes has a connection of its own
			calls["Update"] = func() error { return s.Update(t.Context(), nothing) }
		}
		for name, call := range calls {
			began := time.Now()
			err := call()
			if service.ErrorCode(err) != service.CodeUnavailable || !strings.Contains(err.Error(), "none of its connections became free") {
				t.Errorf("%s fails with %v", name, err)
			}
			if took := time.Since(began); took < lockWait || took > 5*time.Second {
				t.Errorf("%s took %s", name, took)
			}
		}
		soon, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := s.Ping(soon); err != nil {
			t.Errorf("a probe fails with %v", err)
		}
		close(release)
		for range most {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		for name, call := range calls {
			if err := call(); err != nil {
				t.Errorf("afterwards %s fails with %v", name, err)
			}
		}
	})
}
