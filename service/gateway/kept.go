// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"sync"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sealedfile"
)

const (
	// keepDelay is how long changes gather before they are written.
	keepDelay = 100 * time.Millisecond
	// keepInterval is how often the file is written at most, and keepRate how much is written
	// in the long run, in bytes a second: a file that is larger than that is written more
	// seldom. How long a write takes says nothing: the disk may hang, and the process be halted.
	keepInterval = time.Second
	keepRate     = 4 << 20
	// keptFormat is counted up when what is written is to be understood otherwise.
	keptFormat = 1
	// keptPurpose goes into the key of the file.
	keptPurpose = "routes of a gateway"
)

// RouteFile is where a gateway keeps what it serves by, to start without the store.
type RouteFile struct {
	Path string
	// Keys are those of the store: the file has the same secrets. Each of them reads what
	// was written with it, so that a file outlives the replacement of a key.
	Keys [][32]byte
	// Store, Instance and Schema say what the records are of: a file that says otherwise is not
	// used. Instance is as the operator named it.
	Store, Instance string
	Schema          int64
}

// kept is what the gateway serves by, as it is written to the file.
type kept struct {
	// RouteFile has Keys that [Gateway.SetKeys] replaces; guarded by mu.
	RouteFile
	// lines has everything, encoded and packed; guarded by the gateway's reload, as the packer is.
	lines  map[keptKey][]byte
	packer *packer

	changed chan struct{}

	mu sync.Mutex
	// writtenAt is of the file that there is; zero where there is none. failure is why it could
	// not be written last.
	writtenAt time.Time
	failure   error
	// inUse says that what is served is from the file, and the store was not followed since.
	inUse bool
}

type keptKey struct {
	kind keptKind
	id   string
}

type keptKind byte

const (
	keptOfRecord keptKind = iota
	keptOfGrants
	keptOfEnvironment
	keptOfApp
	keptOfMember
	keptOfHosts
)

// keptLine is one line of the file: one of its fields.
type keptLine struct {
	Head        *keptHead            `json:"head,omitempty"`
	Record      *keptRecord          `json:"record,omitempty"`
	Grants      []lifecycle.Grant    `json:"grants,omitempty"`
	Environment *keptEnvironment     `json:"environment,omitempty"`
	App         *keptApp             `json:"app,omitempty"`
	Tokens      []lifecycle.IAMToken `json:"tokens,omitempty"`
	Hosts       *keptHosts           `json:"hosts,omitempty"`
}

// keptHead is the first line.
type keptHead struct {
	Format     int                   `json:"format"`
	Schema     int64                 `json:"schema"`
	Store      string                `json:"store"`
	Instance   string                `json:"instance"`
	InstanceID string                `json:"instance_id"`
	Last       lifecycle.RouteChange `json:"last"`
	WrittenAt  time.Time             `json:"written_at"`
}

// keptRecord is a record with what the JSON of its parts leaves out.
type keptRecord struct {
	Publication service.Publication `json:"publication"`
	PrivateTo   string              `json:"private_to,omitempty"`
	HostName    string              `json:"host_name,omitempty"`
	AnyHost     bool                `json:"any_host,omitempty"`
	ByTerraform bool                `json:"by_terraform,omitempty"`
	Resume      service.Status      `json:"resume,omitempty"`
	RowVersion  int64               `json:"row_version"`

	Connection           service.Connection `json:"connection"`
	Password             string             `json:"password,omitempty"`
	ConnectionRowVersion int64              `json:"connection_row_version"`

	MissingCode service.Code `json:"missing_code,omitempty"`
	Missing     string       `json:"missing,omitempty"`
}

func keepRecord(r record) *keptRecord {
	p := r.publication
	// What waits for a decision has nothing to do with calls.
	p.OpenReview, p.Rejection, p.LaggingGateways = nil, nil, nil
	k := &keptRecord{
		Publication: p, PrivateTo: p.PrivateTo, HostName: p.HostName, AnyHost: p.AnyHost, ByTerraform: p.ByTerraform, Resume: p.Resume, RowVersion: p.RowVersion,
		Connection: r.connection, Password: r.connection.Password.Reveal(), ConnectionRowVersion: r.connection.RowVersion,
	}
	if r.missing != nil {
		k.MissingCode, k.Missing = service.ErrorCode(r.missing), r.missing.Error()
	}
	return k
}

func (k *keptRecord) record() record {
	r := record{publication: k.Publication, connection: k.Connection}
	p := &r.publication
	p.PrivateTo, p.HostName, p.AnyHost, p.ByTerraform, p.Resume, p.RowVersion = k.PrivateTo, k.HostName, k.AnyHost, k.ByTerraform, k.Resume, k.RowVersion
	r.connection.Password, r.connection.RowVersion = service.Secret(k.Password), k.ConnectionRowVersion
	if k.MissingCode != "" {
		r.missing = &service.Error{Code: k.MissingCode, Message: k.Missing}
	}
	return r
}

type keptEnvironment struct {
	ID    string             `json:"id"`
	Limit *service.RateLimit `json:"limit,omitempty"`
}

// keptApp is an app's key with its secrets.
type keptApp struct {
	lifecycle.AppKey
	Secrets, AppCodes []string
}

func keepApp(k lifecycle.AppKey) *keptApp {
	a := &keptApp{AppKey: k}
	for _, g := range k.Generations {
		a.Secrets, a.AppCodes = append(a.Secrets, g.Secret.Reveal()), append(a.AppCodes, g.AppCode.Reveal())
	}
	return a
}

func (a *keptApp) key() (lifecycle.AppKey, error) {
	if len(a.Secrets) != len(a.Generations) || len(a.AppCodes) != len(a.Generations) {
		return a.AppKey, fmt.Errorf("the app %s has other secrets than generations", a.AppID)
	}
	for i := range a.Generations {
		a.Generations[i].Secret, a.Generations[i].AppCode = service.Secret(a.Secrets[i]), service.Secret(a.AppCodes[i])
	}
	return a.AppKey, nil
}

type keptHosts struct {
	ByName map[string]string `json:"by_name,omitempty"`
	Other  string            `json:"other"`
}

// update notes what was read from the store; it needs g.reload. What cannot be encoded ends
// the keeping: a file that lacks something must not be.
func (k *kept) update(s scope, n news) error {
	if s.all {
		if err := k.begin(n.records); err != nil {
			return err
		}
	}
	var failure error
	var scratch []byte
	set := func(kind keptKind, id string, l keptLine) {
		data, err := json.Marshal(l)
		failure = errors.Join(failure, err)
		k.lines[keptKey{kind, id}], scratch = k.packer.pack(append(data, '\n'), scratch)
	}
	remove := func(kind keptKind, ids []string) {
		for _, id := range ids {
			delete(k.lines, keptKey{kind, id})
		}
	}
	remove(keptOfRecord, s.routes)
	remove(keptOfGrants, s.routes)
	remove(keptOfGrants, s.grants)
	remove(keptOfApp, s.apps)
	remove(keptOfMember, s.members)
	for _, r := range n.records {
		set(keptOfRecord, r.publication.ID, keptLine{Record: keepRecord(r)})
		set(keptOfEnvironment, r.publication.EnvironmentID, keptLine{Environment: &keptEnvironment{r.publication.EnvironmentID, r.environmentRate}})
	}
	for id, limit := range n.limits {
		set(keptOfEnvironment, id, keptLine{Environment: &keptEnvironment{id, limit}})
	}
	granted := map[string][]lifecycle.Grant{}
	for _, g := range n.granted {
		granted[g.PublicationID] = append(granted[g.PublicationID], g)
	}
	for id, of := range granted {
		set(keptOfGrants, id, keptLine{Grants: of})
	}
	for _, a := range n.registration.keys {
		set(keptOfApp, a.AppID, keptLine{App: keepApp(a)})
	}
	tokens := map[string][]lifecycle.IAMToken{}
	for _, t := range n.registration.tokens {
		tokens[t.MemberID] = append(tokens[t.MemberID], t)
	}
	for id, of := range tokens {
		set(keptOfMember, id, keptLine{Tokens: of})
	}
	if n.hosts != nil {
		set(keptOfHosts, "", keptLine{Hosts: &keptHosts{n.hosts.byName, n.hosts.other}})
	}
	wake(k.changed)
	return failure
}

// begin forgets what there was. The records that there will be are much alike, and like those
// that there may be some time.
func (k *kept) begin(records []record) error {
	samples := make([][]byte, 0, packerSamples)
	for _, r := range append([]record{{}}, records[:min(len(records), packerSamples-1)]...) {
		sample, err := json.Marshal(keptLine{Record: keepRecord(r)})
		if err != nil {
			return err
		}
		samples = append(samples, sample)
	}
	var err error
	k.lines = make(map[keptKey][]byte, len(records))
	k.packer, err = newPacker(samples)
	return err
}

// keep notes what was read from the store, to be written; it needs g.reload.
func (g *Gateway) keep(ctx context.Context, s scope, n news) {
	if g.kept == nil || g.kept.lines == nil && !s.all {
		return
	}
	if err := g.kept.update(s, n); err != nil {
		g.kept.lines = nil
		g.logger.ErrorContext(ctx, "what the gateway serves by cannot be kept on the disk until it loads all routes again", "error", err)
	}
}

// keepWriting writes the file after each change until ctx ends.
func (g *Gateway) keepWriting(ctx context.Context) {
	for ended := false; !ended; {
		select {
		case <-g.kept.changed:
		case <-ctx.Done():
			// What changed last is not lost in an orderly end.
			select {
			case <-g.kept.changed:
			default:
				return
			}
		}
		ended = !pause(ctx, keepDelay)
		select {
		case <-g.kept.changed: // is written now
		default:
		}
		size, err := g.write(ctx)
		if err != nil {
			// It is tried again, in the interval of a change.
			wake(g.kept.changed)
		}
		ended = ended || ctx.Err() != nil
		if !ended {
			pause(ctx, keepPause(size))
		}
	}
}

// keepPause is the pause after a write of that many bytes.
func keepPause(size int) time.Duration {
	return max(keepInterval, time.Duration(size)*time.Second/keepRate)
}

// pause reports whether ctx goes on after that long.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// write writes the file, and returns how large it is.
func (g *Gateway) write(ctx context.Context) (size int, err error) {
	k := g.kept
	g.reload <- struct{}{}
	lines, packer := maps.Clone(k.lines), k.packer
	head := keptHead{
		Format: keptFormat, Schema: k.Schema, Store: k.Store, Instance: k.Instance, InstanceID: g.self.InstanceID,
		Last: g.position.current(), WrittenAt: time.Now(),
	}
	<-g.reload
	if lines == nil {
		return 0, nil
	}
	err = sealedfile.Write(k.Path, k.keys(), keptPurpose, func(w io.Writer) error {
		if err := json.NewEncoder(w).Encode(keptLine{Head: &head}); err != nil {
			return err
		}
		var line []byte
		for _, packed := range lines {
			var err error
			if line, err = packer.unpack(packed, line); err != nil {
				return err
			}
			size += len(line)
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
		return nil
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case err != nil && k.failure == nil:
		g.logger.ErrorContext(ctx, "the gateway cannot write its routes to the disk: started without the store, it would serve older ones", "file", k.Path, "error", err)
	case err == nil && k.failure != nil:
		g.logger.InfoContext(ctx, "the gateway writes its routes to the disk again", "file", k.Path)
	}
	if k.failure = err; err == nil {
		k.writtenAt = head.WrittenAt
	}
	return size, err
}

// Restore serves what the file has, since the store does not answer for the reason that is
// given. It is called instead of [Gateway.Load] and before [Gateway.Follow], which then goes
// on from there. The error says why the file cannot be used.
func (g *Gateway) Restore(ctx context.Context, reason error) error {
	if g.kept == nil {
		return errors.New("the gateway keeps no routes on the disk")
	}
	head, n, err := g.kept.read()
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("it has not been written yet")
	}
	if err != nil {
		return err
	}
	select {
	case g.reload <- struct{}{}:
		defer func() { <-g.reload }()
	case <-ctx.Done():
		return ctx.Err()
	}
	g.self.InstanceID = head.InstanceID
	s := scope{all: true}
	g.keep(ctx, s, n)
	select {
	case <-g.kept.changed: // written anew it would look younger than it is
	default:
	}
	g.serve(ctx, s, n)
	g.position.read(n.last, true, nil)
	g.position.looked(reason)
	g.position.restored(head.WrittenAt)
	k := g.kept
	k.mu.Lock()
	k.writtenAt, k.inUse = head.WrittenAt, true
	k.mu.Unlock()
	g.logger.WarnContext(ctx, "the store does not answer: the gateway serves the routes that it kept on the disk, and goes on trying",
		"file", k.Path, "written_at", head.WrittenAt.UTC().Format("2006-01-02T15:04:05.000Z"), "revision", n.last.Revision, "routes", len(n.records), "error", reason)
	return nil
}

func (k *kept) keys() [][32]byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Keys
}

// read reads the file.
func (k *kept) read() (head keptHead, n news, err error) {
	n = news{registration: registration{all: true}}
	limits := map[string]*service.RateLimit{}
	err = sealedfile.Read(k.Path, k.keys(), keptPurpose, func(r io.Reader) error {
		lines := json.NewDecoder(r)
		for first := true; ; first = false {
			var l keptLine
			if err := lines.Decode(&l); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			switch {
			case first && l.Head == nil:
				return sealedfile.ErrFormat
			case first:
				head, n.last = *l.Head, l.Head.Last
				if err := k.accepts(head); err != nil {
					return err
				}
			case l.Record != nil:
				n.records = append(n.records, l.Record.record())
			case l.Grants != nil:
				n.granted = append(n.granted, l.Grants...)
			case l.Environment != nil:
				limits[l.Environment.ID] = l.Environment.Limit
			case l.App != nil:
				key, err := l.App.key()
				if err != nil {
					return err
				}
				n.registration.keys = append(n.registration.keys, key)
			case l.Tokens != nil:
				n.registration.tokens = append(n.registration.tokens, l.Tokens...)
			case l.Hosts != nil:
				n.hosts = &hosts{byName: l.Hosts.ByName, other: l.Hosts.Other}
			default:
				return sealedfile.ErrFormat
			}
		}
	})
	if err == nil && n.hosts == nil {
		err = sealedfile.ErrFormat
	}
	for i := range n.records {
		n.records[i].environmentRate = limits[n.records[i].publication.EnvironmentID]
	}
	n.grants = grantsOf(n.granted)
	return head, n, err
}

// accepts refuses a file that is not of this gateway.
func (k *kept) accepts(h keptHead) error {
	switch {
	case h.Format != keptFormat:
		return sealedfile.ErrFormat
	case h.Schema != k.Schema:
		return fmt.Errorf("it is of the store's schema version %d, and this program needs version %d", h.Schema, k.Schema)
	case h.Store != k.Store:
		return fmt.Errorf("it is of another store, %s", h.Store)
	case h.Instance != k.Instance:
		return fmt.Errorf("it was written with --instance=%q", h.Instance)
	}
	return nil
}

// said adds, to what is said of a store that cannot be followed, how old the routes are.
func (k *kept) said(stale error) error {
	var e *service.Error
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.inUse || !errors.As(stale, &e) {
		return stale
	}
	more := *e
	more.Message += fmt.Sprintf(" It was started without the store, and has them from its disk, where they were written at %s.", k.writtenAt.UTC().Format(time.RFC3339))
	return &more
}

// followed notes that the store could be followed.
func (k *kept) followed() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.inUse {
		// It is of now again, and written with the keys of now.
		wake(k.changed)
	}
	k.inUse = false
}
