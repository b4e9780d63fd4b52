// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore_test

import (
	"sync"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// Two transactions that lock the same two rows in opposite order are a deadlock,
// which PostgreSQL ends by giving up on one of them.
func TestADeadlockIsRepeatedUntilBothAreThrough(t *testing.T) {
	s := open(t, sqlstore.Options{DSN: pgtest.Database(t)})
	workspaceID := fill(t, s, "x").WorkspaceID
	var members [2]service.Member
	for i, name := range []string{"anna", "bert"} {
		members[i] = service.Member{ID: service.NewID(now), WorkspaceID: workspaceID, Name: name, Role: service.RoleVisitor, CreatedAt: now}
		if err := s.Update(t.Context(), func(tx lifecycle.Tx) error { return tx.CreateMember(t.Context(), members[i]) }); err != nil {
			t.Fatal(err)
		}
	}
	var (
		attempts [2]int
		errs     [2]error
		met      sync.WaitGroup
		done     sync.WaitGroup
	)
	met.Add(2)
	for i := range 2 {
		done.Go(func() {
			errs[i] = s.Update(t.Context(), func(tx lifecycle.Tx) error {
				attempts[i]++
				if err := tx.UpdateMember(t.Context(), members[i]); err != nil {
					return err
				}
				if attempts[i] == 1 {
					met.Done()
					met.Wait()
				}
				return tx.UpdateMember(t.Context(), members[1-i])
			})
		})
	}
	done.Wait()
	for i, err := range errs {
		if err != nil {
			t.Errorf("transaction %d: %v", i, err)
		}
	}
	if total := attempts[0] + attempts[1]; total != 3 {
		t.Errorf("it took %d attempts, want 3: there was no deadlock, or too many repetitions", total)
	}
}
