// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package torture

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // asks the server what it has

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
)

// postgres is the server of the store, which the torture may crash.
type postgres struct {
	*pgtest.Server
	// mu is held by the fault that has it down.
	mu sync.Mutex
	// db is a way to it that no fault is put into.
	db *sql.DB
}

// startPostgres makes the server and starts it.
func startPostgres(t testing.TB) *postgres {
	t.Helper()
	p := &postgres{Server: pgtest.StartServer(t)}
	var err error
	if p.db, err = sql.Open("pgx", p.DSN()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.db.Close() })
	return p
}

// sessions are the process ids of the sessions of the store's clients.
func (p *postgres) sessions(ctx context.Context) (pids []int, err error) {
	var listed sql.NullString
	err = p.db.QueryRowContext(ctx, `SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE datname = 'store' AND pid <> pg_backend_pid()`).Scan(&listed)
	for _, s := range strings.Fields(listed.String) {
		pid, err := strconv.Atoi(s)
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, err
}
