// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/signature"
)

// sampled is 2020-06-23T00:21:01+0800, when the vendor's sample was made.
var sampled = time.Date(2020, 6, 22, 16, 21, 1, 0, time.UTC)

// house is a whole service on SQLite, behind HTTP, with a clock that a test moves. Its
// database has the tables person (id, name) and t (a, param1, param2).
type house struct {
	*lifecycle.Service
	t       *testing.T
	server  *httptest.Server
	gateway *gateway.Gateway
	now     time.Time
	// fault is what the store answers to every change but the noting of a nonce.
	fault atomic.Pointer[error]
	store lifecycle.Store
	// shared says that the store may have other processes on it, and looks counts how often
	// it was looked at without a transaction.
	shared atomic.Bool
	looks  atomic.Int64
	admin  lifecycle.Caller
	// callers and keys are by the name of the member.
	callers map[string]lifecycle.Caller
	keys    map[string]service.CreatedAccessKey
	conn    service.Connection
	group   service.Group
	nonces  int
}

func (h *house) Now() time.Time { return h.now }

// faulty is a store that can be made to fail.
type faulty struct {
	lifecycle.Store
	h *house
}

// nonceOnly lets a transaction note a nonce and nothing else.
type nonceOnly struct {
	lifecycle.Tx
	noted *bool
}

func (t nonceOnly) UseNonce(ctx context.Context, accessKeyID, nonce string, until time.Time) (bool, error) {
	*t.noted = true
	return t.Tx.UseNonce(ctx, accessKeyID, nonce, until)
}

func (s faulty) Shared() bool { return s.h.shared.Load() }

func (s faulty) Glance(ctx context.Context, fn func(lifecycle.Tx) error) error {
	s.h.looks.Add(1)
	return s.Store.Glance(ctx, fn)
}

func (s faulty) Update(ctx context.Context, fn func(lifecycle.Tx) error) error {
	fault := s.h.fault.Load()
	if fault == nil {
		return s.Store.Update(ctx, fn)
	}
	return s.Store.Update(ctx, func(tx lifecycle.Tx) error {
		noted := false
		if err := fn(nonceOnly{tx, &noted}); err != nil || noted {
			return err
		}
		return *fault
	})
}

func newHouse(t *testing.T, options ...func(*controlplane.Options)) *house {
	t.Helper()
	ctx := t.Context()
	dir := t.TempDir()
	quiet := slog.New(slog.DiscardHandler)
	db, err := sql.Open("sqlite", filepath.Join(dir, "people.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE TABLE person (id INTEGER, name TEXT); INSERT INTO person VALUES (1, 'Ada'), (2, 'Grace'), (3, 'Ada');
		CREATE TABLE t (a TEXT, param1 TEXT, param2 TEXT); INSERT INTO t VALUES ('default1', 'default1', 'x')`); err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	store, err := sqlstore.Open(ctx, sqlstore.Options{Keys: sqlstore.Keys{{1}}, DSN: "sqlite:" + filepath.Join(t.TempDir(), "store.db"), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, store: store, now: sampled, callers: map[string]lifecycle.Caller{}, keys: map[string]service.CreatedAccessKey{}}
	sources := datasource.New(datasource.Options{SQLiteDir: dir, Logger: quiet})
	backends := backend.New(backend.Options{Policy: dialguard.Backends([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})})
	h.gateway = gateway.New(gateway.Options{Store: store, Sources: sources, Backends: backends, Logger: quiet, Clock: h})
	h.Service = lifecycle.New(lifecycle.Options{
		Store: faulty{store, h}, Runner: gateway.NewRunner(sources, backends), Router: h.gateway, Clock: h, Logger: quiet, GatewayURL: "http://gateway.test",
	})
	token, _, err := h.Bootstrap(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m, w, err := h.Authenticate(ctx, token.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	h.admin = lifecycle.Caller{Member: m, Workspace: w}
	h.callers["admin"] = h.admin
	h.keys["admin"] = must(h.CreateAccessKey(ctx, h.admin, service.AccessKeyInput{}))(t)
	h.join(service.MemberInput{Name: "dev", Role: service.RoleDeveloper})
	h.join(service.MemberInput{Name: "rev", Role: service.RoleDeveloper, Reviewer: true})
	h.join(service.MemberInput{Name: "op", Role: service.RoleOperator})
	h.join(service.MemberInput{Name: "guest", Role: service.RoleVisitor})
	if err := h.gateway.Load(ctx); err != nil {
		t.Fatal(err)
	}
	h.conn = must(h.CreateConnection(ctx, h.callers["dev"], service.ConnectionInput{
		ConnectionSpec: service.ConnectionSpec{Name: "people", Engine: service.EngineSQLite, File: "people.db"},
	}))(t)
	h.group = must(h.CreateGroup(ctx, h.callers["dev"], service.GroupInput{GroupSpec: service.GroupSpec{Name: "sales"}}))(t)
	o := controlplane.Options{Service: h.Service, Ready: store.Ping, Logger: quiet}
	for _, option := range options {
		option(&o)
	}
	h.server = httptest.NewServer(controlplane.New(o))
	t.Cleanup(func() {
		h.server.Close()
		h.gateway.Close()
		backends.Close()
		sources.Close()
		_ = store.Close()
	})
	return h
}

// must ends the test where there is an error.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (h *house) join(in service.MemberInput) {
	h.t.Helper()
	m := must(h.CreateMember(h.t.Context(), h.admin, in))(h.t)
	h.callers[in.Name] = lifecycle.Caller{Member: m, Workspace: h.admin.Workspace}
	h.keys[in.Name] = must(h.CreateAccessKey(h.t.Context(), h.callers[in.Name], service.AccessKeyInput{}))(h.t)
}

// project is the number of the workspace.
func (h *house) project() string { return strconv.FormatInt(h.admin.Workspace.Number, 10) }

// params are those of a call.
type params map[string]string

func (p params) with(name, value string) params {
	changed := params{}
	for n, v := range p {
		changed[n] = v
	}
	changed[name] = value
	if value == "" {
		delete(changed, name)
	}
	return changed
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   string
	values map[string]any
}

// data is the member Data, or one of it.
func (r reply) data(path ...string) any {
	at := r.values["Data"]
	for _, name := range path {
		o, _ := at.(map[string]any)
		at = o[name]
	}
	return at
}

// signed makes the request of a call as alibaba-cloud-sdk-go does: what the parameters of
// the call are stands in a form, and what they are signed with in the query string.
func (h *house) signed(member, action string, in params) *http.Request {
	h.t.Helper()
	h.nonces++
	form, query := url.Values{}, url.Values{
		"AccessKeyId": {h.keys[member].ID}, "Action": {action}, "Format": {"JSON"}, "RegionId": {"local"}, "SignatureMethod": {"HMAC-SHA1"},
		"SignatureNonce": {fmt.Sprintf("nonce-%d", h.nonces)}, "SignatureType": {""}, "SignatureVersion": {"1.0"},
		"Timestamp": {h.now.Format(signature.ACSDate)}, "Version": {"2020-05-18"},
	}
	all := url.Values{}
	for name, value := range in {
		switch name {
		case "Format", "Version", "Timestamp", "SignatureNonce", "AccessKeyId":
			query.Set(name, value)
		default:
			form.Set(name, value)
		}
	}
	for _, values := range []url.Values{form, query} {
		for name := range values {
			all.Set(name, values.Get(name))
		}
	}
	mac := hmac.New(sha1.New, []byte(h.keys[member].Secret+"&"))
	_, _ = io.WriteString(mac, signature.RPC{}.StringToSign(http.MethodPost, all))
	query.Set("Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	r := must(http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.server.URL+"/?"+query.Encode(), strings.NewReader(form.Encode())))(h.t)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// send makes a call.
func (h *house) send(member, action string, in params) reply {
	h.t.Helper()
	return h.do(h.signed(member, action, in))
}

// acs3 makes a call as newer SDKs do: the action stands in headers, and the parameters in
// the query string.
func (h *house) acs3(member, action string, in params) reply {
	h.t.Helper()
	h.nonces++
	query := url.Values{}
	for name, value := range in {
		query.Set(name, value)
	}
	r := must(http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.server.URL+"/?"+query.Encode(), nil))(h.t)
	sum := sha256.Sum256(nil)
	hash := hex.EncodeToString(sum[:])
	for name, value := range map[string]string{
		signature.ACS3ActionHeader: action, signature.ACS3VersionHeader: "2020-05-18", signature.ACS3DateHeader: h.now.Format(signature.ACSDate),
		signature.ACS3NonceHeader: fmt.Sprintf("nonce-%d", h.nonces), signature.ACS3BodyHashHeader: hash,
	} {
		r.Header.Set(name, value)
	}
	const headers = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
	var c signature.Canonical
	c.Build(r, headers, hash)
	mac := hmac.New(sha256.New, []byte(h.keys[member].Secret))
	_, _ = io.WriteString(mac, signature.ACS3{}.StringToSign(&c))
	r.Header.Set("Authorization", fmt.Sprintf("%s Credential=%s,SignedHeaders=%s,Signature=%x", signature.ACS3Scheme, h.keys[member].ID, headers, mac.Sum(nil)))
	return h.do(r)
}

func (h *house) do(r *http.Request) reply {
	h.t.Helper()
	answer, err := h.server.Client().Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	got := reply{status: answer.StatusCode, header: answer.Header, body: string(must(io.ReadAll(answer.Body))(h.t))}
	if got.header.Get("Content-Type") == "application/json" {
		if err := json.Unmarshal([]byte(got.body), &got.values); err != nil {
			h.t.Fatalf("%d %q: %v", got.status, got.body, err)
		}
		if got.values["RequestId"] != got.header.Get("X-Request-Id") {
			h.t.Errorf("the request id is %v and %s", got.values["RequestId"], got.header.Get("X-Request-Id"))
		}
	}
	return got
}

// ok makes a call that succeeds.
func (h *house) ok(member, action string, in params) reply {
	h.t.Helper()
	got := h.send(member, action, in)
	if success, told := got.values["Success"]; got.status != 200 || told && success != true {
		h.t.Fatalf("%s: %d %s", action, got.status, got.body)
	}
	return got
}

// failed makes sure that a call was answered with an error, in the gateway's shape.
func (h *house) failed(got reply, status int, code, message string) {
	h.t.Helper()
	if got.status != status || got.values["Code"] != code || len(got.values) != 5 || got.values["HostId"] == "" || got.values["Recommend"] == "" {
		h.t.Errorf("%d %s, want %d %s", got.status, got.body, status, code)
	}
	if said, _ := got.values["Message"].(string); !strings.Contains(said, message) {
		h.t.Errorf("it says %q, want %q in it", said, message)
	}
}

// refused makes sure that a call was answered with an error, in the shape of its answers.
func (h *house) refused(got reply, status int, code, message string) {
	h.t.Helper()
	if got.status != 200 || got.values["Success"] != false || got.values["HttpStatusCode"] != float64(status) || got.values["ErrorCode"] != code || len(got.values) != 5 {
		h.t.Errorf("%d %s, want %d %s", got.status, got.body, status, code)
	}
	if said, _ := got.values["ErrorMessage"].(string); !strings.Contains(said, message) {
		h.t.Errorf("it says %q, want %q in it", said, message)
	}
}

// onAPI are the parameters of a call on an API.
func (h *house) onAPI(number any) params {
	return params{"ProjectId": h.project(), "ApiId": fmt.Sprint(number)}
}

// number is a whole number of an answer.
func number(v any) string {
	n, _ := v.(float64)
	return strconv.FormatInt(int64(n), 10)
}

// script are the parameters that create an API which answers the people with a name.
func (h *house) script(name string) params {
	return params{
		"ProjectId": h.project(), "TenantId": "10001", "ApiName": name, "GroupId": h.group.ID, "ApiMode": "1", "RequestMethod": "0", "ResponseContentType": "0",
		"Timeout": "10000", "VisibleRange": "0", "Protocols": "0,1", "ApiPath": "/" + name, "ApiDescription": "People by name",
		"ScriptDetails": fmt.Sprintf(`{"isPagedResponse":false,"script":"SELECT id, name FROM person WHERE name = ${who} ORDER BY id","scriptConnection":{"connectionId":%d,"tableName":"person"},`+
			`"scriptRequestParameters":[{"parameterName":"who","parameterDataType":0,"parameterOperator":0,"parameterPosition":1,"isRequiredParameter":true}],`+
			`"scriptResponseParameters":[{"parameterName":"id","parameterDataType":2},{"parameterName":"name","parameterDataType":0}]}`, h.conn.Number),
	}
}

// create creates such an API and returns its number.
func (h *house) create(name string) string {
	h.t.Helper()
	return number(h.ok("dev", "CreateDataServiceApi", h.script(name)).data())
}

// test tests an API and returns what that answered in the end.
func (h *house) test(member, api string, in params) reply {
	h.t.Helper()
	in = in.with("ApiId", api)
	started := h.ok(member, "TestDataServiceApi", in)
	id, _ := started.data("TestId").(string)
	var got reply
	servicetest.Eventually(h.t, 10*time.Second, "the test is finished", func() bool {
		got = h.ok(member, "GetDataServiceApiTest", params{"TestId": id})
		finished := got.data("Status") == "FINISHED"
		if !finished && (got.data("Status") != "RUNNING" || got.data("RetCode") != nil) {
			h.t.Fatalf("while it runs it is %s", got.body)
		}
		return finished
	})
	return got
}

// called calls the gateway and returns the status.
func (h *house) called(path string) int {
	w := httptest.NewRecorder()
	h.gateway.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code
}

// traces is everything that a call could have changed.
func (h *house) traces() string {
	h.t.Helper()
	events := must(h.Events(h.t.Context(), h.admin, lifecycle.EventFilter{}, 0, 500))(h.t)
	return fmt.Sprint(len(events.Items))
}
