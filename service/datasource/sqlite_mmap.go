// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// mappedSQLite is a SQLite file whose pages are read from memory that it is mapped to.
// Whoever cuts such a file short makes its readers fault, which would end the process:
// here that is an error of the one call that met it.
type mappedSQLite struct{ *sqliteSource }

// errCut says that a mapped file has become shorter.
var errCut = errors.New("the database file was cut short while it was read: replace such a file by renaming a new one to its name")

func (s mappedSQLite) check(ctx context.Context) error {
	return s.guard(func() error { return s.sqliteSource.check(ctx) }, s.openFailure)
}

func (s mappedSQLite) validate(ctx context.Context, p *Plan, d service.Definition) error {
	return s.guard(func() error { return s.sqliteSource.validate(ctx, p, d) }, s.openFailure)
}

func (s mappedSQLite) run(ctx context.Context, p *Plan, sh *shape, dst []byte, call Call) ([]byte, error) {
	out := dst
	err := s.guard(func() (err error) {
		out, err = s.sqliteSource.run(ctx, p, sh, dst, call)
		return err
	}, func(err error) error { return &Error{Kind: Unavailable, Err: err} })
	return out, err
}

// guard turns a fault into the error that failure makes of errCut. Every other session
// has the same file mapped, so that all of them go.
func (s mappedSQLite) guard(do func() error, failure func(error) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		// Only the runtime's errors about an address that cannot be read have this method.
		if _, fault := p.(interface{ Addr() uintptr }); !fault {
			panic(p)
		}
		s.sessions.flush()
		err = failure(errCut)
	}()
	return do()
}
