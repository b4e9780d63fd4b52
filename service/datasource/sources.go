// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Options configure [New]. The zero value of a limit means its default.
type Options struct {
	// SQLiteDir is the directory below which users' SQLite files may lie.
	SQLiteDir string
	// SQLiteMmapBytes is how much of each SQLite file is read through memory that it is
	// mapped to, which spares reading what the page caches do not hold; 0 maps nothing.
	SQLiteMmapBytes int64
	// Forbidden are files and directories that are never opened, such as the store's own file.
	// What SQLite keeps beside a file (-wal, -shm, -journal) goes with it.
	Forbidden []string
	// StoreDSN is the service's own store; a connection to it is refused.
	StoreDSN string
	// AllowedRanges are the addresses that servers may have; none stands for all. What
	// is refused everywhere is refused in them too.
	AllowedRanges []netip.Prefix
	Logger        *slog.Logger

	// MaxSessions bounds the sessions per connection. Default: 16 for servers, and
	// two per processor, at least 4, for SQLite, where more of them only wait for one another.
	MaxSessions int
	// WaitLimit is how long a call waits for a free session before it is told
	// Unavailable. Default: 3 s.
	WaitLimit time.Duration
	// IdleTimeout closes sessions that were not used for so long. Default: 5 minutes.
	IdleTimeout time.Duration
	// MaxAnswerBytes bounds one answer. Default: 64 MiB.
	MaxAnswerBytes int
}

const (
	defaultWaitLimit      = 3 * time.Second
	defaultIdleTimeout    = 5 * time.Minute
	defaultMaxAnswerBytes = 64 << 20
	defaultServerLimit    = 16
	// checkTimeout bounds a check or validation whose context does not.
	checkTimeout = 15 * time.Second
	// retiredTimeout is how long the idle sessions of a connection live after its
	// parts or its password changed.
	retiredTimeout = 2 * time.Second
	sweepInterval  = time.Second
)

func (o Options) withDefaults() Options {
	if o.WaitLimit == 0 {
		o.WaitLimit = defaultWaitLimit
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = defaultIdleTimeout
	}
	if o.MaxAnswerBytes == 0 {
		o.MaxAnswerBytes = defaultMaxAnswerBytes
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options) sqliteSessions() int {
	if o.MaxSessions > 0 {
		return o.MaxSessions
	}
	return max(4, 2*runtime.GOMAXPROCS(0))
}

func (o Options) serverSessions() int {
	if o.MaxSessions > 0 {
		return o.MaxSessions
	}
	return defaultServerLimit
}

// source is the database behind one connection as it is now: its parts and its
// password do not change, another connection is another source.
type source interface {
	// check connects anew and makes sure that the connection may be used.
	check(ctx context.Context) error
	// validate prepares the shapes that the plan's query can take. The definition is
	// where to point at.
	validate(ctx context.Context, p *Plan, d service.Definition) error
	// run makes the call with the shape that its values chose.
	run(ctx context.Context, p *Plan, sh *shape, dst []byte, call Call) ([]byte, error)
	// sweep closes the sessions that have been idle for longer than that, or whose
	// database was replaced, and returns how many sessions are left.
	sweep(now time.Time, idle time.Duration) int
	// orphan is told that it was swept for the last time: it keeps no idle session.
	orphan()
	// stats tells how its sessions fare.
	stats() Stats
	// place names the database in traces: the system, and what and where the database is.
	place() (system, database, host string, port int)
	close()
}

// Sources are the users' databases. It is safe for concurrent use.
type Sources struct {
	options Options
	stop    chan struct{}
	stopped sync.WaitGroup

	mu     sync.Mutex
	closed bool
	// entries has a source per connection as it is or was; current has, by the
	// connection's id, the one that plans are made for now.
	entries map[fingerprint]*entry
	current map[string]fingerprint
}

type entry struct {
	source source
	id     string
	// name is the connection's as it was last planned for.
	name    string
	retired bool
}

// fingerprint tells connections apart that need sessions of their own.
type fingerprint [sha256.Size]byte

// New returns sources that have no session yet. Close must be called.
func New(options Options) *Sources {
	s := &Sources{
		options: options.withDefaults(),
		stop:    make(chan struct{}),
		entries: map[fingerprint]*entry{},
		current: map[string]fingerprint{},
	}
	s.stopped.Add(1)
	go s.sweeper()
	return s
}

// Close closes all idle sessions, and the others when their calls end. Calls that
// come later get Unavailable.
func (s *Sources) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	close(s.stop)
	for _, e := range s.entries {
		e.source.close()
	}
	s.mu.Unlock()
	s.stopped.Wait()
}

func (s *Sources) sweeper() {
	defer s.stopped.Done()
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case now := <-ticker.C:
			s.sweep(now)
		}
	}
}

// sweep closes sessions that nobody needs, and forgets sources that are no longer
// current. A plan that still uses one opens a session for each call.
func (s *Sources) sweep(now time.Time) {
	s.mu.Lock()
	entries := make(map[fingerprint]*entry, len(s.entries))
	for f, e := range s.entries {
		entries[f] = e
	}
	s.mu.Unlock()
	for f, e := range entries {
		idle := s.options.IdleTimeout
		s.mu.Lock()
		if e.retired {
			idle = min(idle, retiredTimeout)
		}
		s.mu.Unlock()
		left := e.source.sweep(now, idle)
		s.mu.Lock()
		if left == 0 && s.current[e.id] != f {
			// Nobody finds it from here on, and so nobody sweeps it.
			delete(s.entries, f)
			e.source.orphan()
		}
		s.mu.Unlock()
	}
}

// Check connects and makes sure that the connection may be used: that it answers and
// that its role or file keeps the read-only rule. The error is a [service.Error] with
// CodeConnectionFailed that points at the field to change.
func (s *Sources) Check(ctx context.Context, c service.Connection) error {
	c.ConnectionSpec = c.ConnectionSpec.WithDefaults()
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	src, err := s.newSource(c)
	if err != nil {
		return err
	}
	defer src.close()
	return src.check(ctx)
}

// Validate prepares the definition against the connection without running it. The
// error is a [service.Error]: CodeInvalid with a field per problem, or
// CodeConnectionFailed.
func (s *Sources) Validate(ctx context.Context, d service.Definition, c service.Connection) error {
	c.ConnectionSpec = c.ConnectionSpec.WithDefaults()
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	src, err := s.sourceOf(c, false)
	if err != nil {
		return err
	}
	d = d.WithDefaults()
	p, err := newPlan(d, src, c.Engine)
	if err != nil {
		return err
	}
	return src.validate(ctx, p, d)
}

// Plan compiles the definition for the connection. It does not connect. From then
// on the connection is what it is here: sessions with other parts or another
// password are closed as soon as they are idle.
func (s *Sources) Plan(d service.Definition, c service.Connection) (*Plan, error) {
	c.ConnectionSpec = c.ConnectionSpec.WithDefaults()
	src, err := s.sourceOf(c, true)
	if err != nil {
		return nil, err
	}
	return newPlan(d, src, c.Engine)
}

// Draft is Plan for a definition that is not live: calls of the plan leave the
// connection that live plans read from as it is, also where this one is older.
func (s *Sources) Draft(d service.Definition, c service.Connection) (*Plan, error) {
	c.ConnectionSpec = c.ConnectionSpec.WithDefaults()
	src, err := s.sourceOf(c, false)
	if err != nil {
		return nil, err
	}
	return newPlan(d, src, c.Engine)
}

// Forget is told that no live plan reads from the connection any more: its sessions
// are closed as soon as they are idle, and nothing of it is remembered. Plan makes
// it known again.
func (s *Sources) Forget(connectionID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, known := s.current[connectionID]; known {
		delete(s.current, connectionID)
		if e := s.entries[f]; e != nil {
			e.retired = true
		}
	}
}

// sourceOf returns the source of the connection; make it the current one where told so.
func (s *Sources) sourceOf(c service.Connection, current bool) (source, error) {
	f := fingerprintOf(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, known := s.entries[f]
	if !known {
		src, err := s.newSource(c)
		if err != nil {
			return nil, err
		}
		if s.closed {
			src.close()
		}
		e = &entry{source: src, id: c.ID}
		s.entries[f] = e
	}
	if current {
		if old, changed := s.current[c.ID]; changed && old != f {
			if o := s.entries[old]; o != nil {
				o.retired = true
			}
		}
		s.current[c.ID] = f
		e.name, e.retired = c.Name, false
	}
	return e.source, nil
}

func (s *Sources) newSource(c service.Connection) (source, error) {
	switch c.Engine {
	case service.EngineSQLite:
		src := newSQLite(c, s.options)
		if src.mapped > 0 {
			return mappedSQLite{src}, nil
		}
		return src, nil
	case service.EnginePostgreSQL:
		return newPostgres(c, s.options)
	case service.EngineMySQL:
		return newMySQL(c, s.options), nil
	default:
		return nil, service.Errorf(service.CodeConnectionFailed, "The connection %q has the unknown engine %q.", c.Name, c.Engine)
	}
}

func fingerprintOf(c service.Connection) fingerprint {
	data, err := json.Marshal([]any{c.ID, c.Engine, c.File, c.Host, c.Port, c.Database, c.Username, c.SSLMode, c.AllowSuperuser, c.Password.Reveal()})
	if err != nil {
		panic("datasource: a connection is always JSON: " + err.Error())
	}
	return sha256.Sum256(data)
}

// connectionFailed makes the error for a connection that cannot be used, pointing at
// the field to change. It has no cause where the connection breaks a rule of the
// service, which no change at the database's side would mend.
func connectionFailed(pointer string, cause error, format string, args ...any) *service.Error {
	e := service.Errorf(service.CodeConnectionFailed, format, args...)
	e.Cause = cause
	if pointer != "" {
		e.Fields = []service.FieldError{{Pointer: pointer, Message: e.Message}}
		e.Message = "The connection does not work."
	}
	return e
}
