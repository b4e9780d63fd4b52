// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"dataservice": main,
		"call":        call,
	})
}

// TestCommandLine runs the scripts in testdata/script: each is a story told in
// commands. The program is the real one, in a process of its own.
func TestCommandLine(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("GOCOVERDIR", os.Getenv("GOCOVERDIR"))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"await":        await,
			"await-file":   awaitFile,
			"terminate":    terminate,
			"mode":         checkMode,
			"field":        field,
			"exits":        exits,
			"narrow":       narrow,
			"await-review": awaitReview,
			"database":     makeDatabase,
			"age-store":    ageStore,
			"forge-trail":  forgeTrail,
			"postgres": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) != 1 {
					ts.Fatalf("usage: postgres VAR")
				}
				ts.Setenv(args[0], pgtest.Database(t))
			},
			"age-postgres": agePostgres,
			"occupy":       occupy,
			"certificate":  makeCertificate,
			"shows":        shows,
			"eventually":   eventually,
			"hangup":       hangUp,
			"await-metric": awaitMetric,
			"manager":      manager,
			"told":         told,
		},
	})
}

// patience bounds every waiting in the scripts.
const patience = 30 * time.Second

func until(ts *testscript.TestScript, what string, done func() bool) {
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		if time.Now().After(deadline) {
			ts.Fatalf("%s does not come", what)
		}
		<-tick.C
	}
}

// await DIR waits until the service with that data directory is ready, and sets
// $CONTROL, $GATEWAY, $GATEWAY_TLS and $METRICS.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await DIR")
	}
	name := ts.MkAbs(filepath.Join(args[0], endpointsFile))
	var e endpoints
	until(ts, "a ready service", func() bool {
		data, err := os.ReadFile(name)
		if err != nil || json.Unmarshal(data, &e) != nil {
			return false
		}
		// A gateway alone is asked where its metrics are.
		resp, err := http.Get(or(e.ControlPlane, e.Metrics) + "/readyz")
		if err != nil {
			return strings.HasPrefix(e.ControlPlane, "https:") // its certificate is not known here
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	ts.Setenv("CONTROL", e.ControlPlane)
	ts.Setenv("GATEWAY", e.Gateway)
	ts.Setenv("GATEWAY_TLS", e.GatewayTLS)
	ts.Setenv("METRICS", e.Metrics)
}

// await-file FILE waits until there is that file.
func awaitFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await-file FILE")
	}
	until(ts, args[0], func() bool {
		_, err := os.Stat(ts.MkAbs(args[0]))
		return err == nil
	})
}

// terminate DIR sends SIGTERM to the service with that data directory.
func terminate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: terminate DIR")
	}
	tell(ts, args[0], syscall.SIGTERM)
}

// hangup DIR sends SIGHUP to it.
func hangUp(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hangup DIR")
	}
	tell(ts, args[0], syscall.SIGHUP)
}

func tell(ts *testscript.TestScript, dir string, what os.Signal) {
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(filepath.Join(dir, lockFile))))
	ts.Check(err)
	process, err := os.FindProcess(pid)
	ts.Check(err)
	ts.Check(process.Signal(what))
}

// mode 0600 FILE checks the permissions.
func checkMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode MODE FILE")
	}
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if info.Mode().Perm() != fs.FileMode(want) {
		ts.Fatalf("%s has the mode %o, want %o", args[1], info.Mode().Perm(), want)
	}
}

// exits CODE COMMAND ARGUMENTS... runs a command that ends with the exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var ended *exec.ExitError
		if !errors.As(err, &ended) {
			ts.Fatalf("%v", err)
		}
		got = ended.ExitCode()
	}
	if got != want {
		ts.Fatalf("the exit code is %d, want %d", got, want)
	}
}

// await-review TOKEN waits until one application is open, and sets $REVIEW to its id.
func awaitReview(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await-review TOKEN")
	}
	api, err := client.New(client.Config{Endpoint: ts.Getenv("CONTROL"), Token: strings.TrimSpace(ts.ReadFile(args[0]))})
	ts.Check(err)
	until(ts, "an open application", func() bool {
		open, err := api.Reviews(context.Background(), client.ReviewFilter{Status: service.ReviewPending}, client.Page{})
		ts.Check(err)
		if len(open.Items) == 1 {
			ts.Setenv("REVIEW", open.Items[0].ID)
		}
		return len(open.Items) == 1
	})
}

// narrow checks that no line that was printed last has more than 80 characters.
func narrow(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: narrow")
	}
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
			ts.Fatalf("a line has %d characters: %s", n, line)
		}
	}
}

// field VAR PATH sets $VAR to a field of the JSON that was printed last; the path has
// dots, and numbers in lists, as in "items.0.id".
func field(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: field VAR PATH")
	}
	var value any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &value))
	for _, name := range strings.Split(args[1], ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			ts.Check(err)
			value = v[i]
		}
	}
	if value == nil {
		ts.Fatalf("there is no %s", args[1])
	}
	ts.Setenv(args[0], fmt.Sprint(value))
}

// database FILE makes a SQLite database for APIs to read.
func makeDatabase(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: database FILE")
	}
	ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(args[0])), 0o750))
	statements(ts, args[0], `CREATE TABLE capitals (country TEXT, capital TEXT)`, `INSERT INTO capitals VALUES ('NO', 'Oslo')`)
}

// age-store FILE makes a store that a much newer program has used.
func ageStore(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: age-store FILE")
	}
	statements(ts, args[0], `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9000, 1)`)
}

// age-postgres URL makes a store that a much newer program has used.
func agePostgres(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: age-postgres URL")
	}
	conn, err := pgx.Connect(context.Background(), args[0])
	ts.Check(err)
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(context.Background(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9000, TRUE)`)
	ts.Check(err)
}

// forge-trail FILE removes the second event from a store, as somebody may who has the
// rights to change its tables.
func forgeTrail(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: forge-trail FILE")
	}
	statements(ts, args[0], `DROP TRIGGER events_no_delete`, `DELETE FROM events WHERE number = 2`)
}

func statements(ts *testscript.TestScript, file string, statements ...string) {
	db, err := sql.Open("sqlite", ts.MkAbs(file))
	ts.Check(err)
	for _, s := range statements {
		_, err := db.Exec(s)
		ts.Check(err)
	}
	ts.Check(db.Close())
}

// occupy VAR listens on a free port until the script ends, and sets $VAR to it.
func occupy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: occupy VAR")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}

// await-metric 'LINE' waits until $METRICS has that line.
func awaitMetric(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await-metric LINE")
	}
	until(ts, args[0], func() bool {
		resp, err := http.Get(ts.Getenv("METRICS") + "/metrics")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return err == nil && strings.Contains("\n"+string(text), "\n"+args[0]+"\n")
	})
}

// eventually PROGRAM [ARG...] runs the program again and again until it succeeds.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: eventually PROGRAM [ARG...]")
	}
	until(ts, strings.Join(args, " "), func() bool { return ts.Exec(args[0], args[1:]...) == nil })
}

// shows URL CERT waits until new connections there are shown that certificate.
func shows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: shows URL CERT")
	}
	wanted, _ := pem.Decode([]byte(ts.ReadFile(args[1])))
	until(ts, args[1], func() bool {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(args[0], "https://"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return false
		}
		defer conn.Close()
		return bytes.Equal(conn.ConnectionState().PeerCertificates[0].Raw, wanted.Bytes)
	})
}

// manager NAME listens as a service manager does, and has NOTIFY_SOCKET name the place. What it
// is told goes to the file NAME.
func manager(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: manager NAME")
	}
	dir, err := os.MkdirTemp("", "notify") // a socket's path must be short
	ts.Check(err)
	socket := filepath.Join(dir, "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	ts.Check(err)
	ts.Defer(func() {
		_ = conn.Close()
		_ = os.RemoveAll(dir)
	})
	ts.Setenv("NOTIFY_SOCKET", socket)
	name := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(name, nil, 0o600))
	go func() {
		message := make([]byte, 4096)
		for {
			n, err := conn.Read(message)
			if err != nil {
				return
			}
			f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0o600)
			if err != nil {
				return
			}
			_, _ = f.WriteString(string(message[:n]) + "\n")
			_ = f.Close()
		}
	}()
}

// told NAME COUNT LINE waits until the file has lines that begin so.
func told(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: told NAME COUNT LINE")
	}
	count, err := strconv.Atoi(args[1])
	ts.Check(err)
	until(ts, args[2], func() bool { return strings.Count("\n"+ts.ReadFile(args[0]), "\n"+args[2]) == count })
}

// certificate CERT KEY [HOURS] makes a certificate for 127.0.0.1 that vouches for itself, for an
// hour or as many as are said; one of fewer than none has expired.
func makeCertificate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: certificate CERT KEY [HOURS]")
	}
	valid := time.Hour
	if len(args) == 3 {
		hours, err := strconv.Atoi(args[2])
		ts.Check(err)
		valid = time.Duration(hours) * time.Hour
	}
	certificate, secret, err := newCertificateFor(valid)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), certificate, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), secret, 0o600))
}

// newCertificateFor makes a certificate that is valid for so long from now on, and its key.
func newCertificateFor(valid time.Duration) (certificate, secret []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "dataservice test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-100 * time.Hour), NotAfter: time.Now().Add(valid), IsCA: true, BasicConstraintsValid: true,
	}
	if certificate, err = x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key); err != nil {
		return nil, nil, err
	}
	if secret, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), nil
}

// call [-token FILE] [-started FILE] [-ca FILE] [-header 'NAME: VALUE'] METHOD URL [FILE] makes one HTTP call, with the
// JSON of the file as its body. It prints the answer's body, and its status to
// standard error; a status from 400 on is exit code 1. $VARIABLES in capitals are
// replaced in the file. It writes the file -started once the service has begun to answer, that
// is, to read the body; without a body, once the request is sent.
func call() {
	token := flag.String("token", "", "file with the token")
	started := flag.String("started", "", "file to write")
	ca := flag.String("ca", "", "file with the certificate to trust")
	header := flag.String("header", "", "a header to send")
	flag.Parse()
	if err := callOnce(*token, *started, *ca, *header, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func callOnce(token, started, ca, header string, args []string) error {
	var body io.Reader
	if len(args) == 3 {
		data, err := os.ReadFile(args[2])
		if err != nil {
			return err
		}
		body = strings.NewReader(os.Expand(string(data), func(name string) string {
			if name == strings.ToUpper(name) {
				return os.Getenv(name)
			}
			return "${" + name + "}" // a placeholder of a script
		}))
	}
	req, err := http.NewRequest(args[0], args[1], body)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		data, err := os.ReadFile(token)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(data)))
	}
	if name, value, ok := strings.Cut(header, ": "); ok {
		req.Header.Set(name, value)
	}
	transport := &http.Transport{ExpectContinueTimeout: patience, ForceAttemptHTTP2: true}
	if ca != "" {
		data, err := os.ReadFile(ca)
		if err != nil {
			return err
		}
		trusted := x509.NewCertPool()
		trusted.AppendCertsFromPEM(data)
		transport.TLSClientConfig = &tls.Config{RootCAs: trusted}
	}
	if started != "" {
		trace := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { _ = os.WriteFile(started, nil, 0o600) }}
		if body != nil {
			req.Header.Set("Expect", "100-continue")
			trace = &httptrace.ClientTrace{Got100Continue: func() { _ = os.WriteFile(started, nil, 0o600) }}
		}
		req = req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
	}
	resp, err := (&http.Client{Transport: transport, Timeout: patience}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(os.Stdout, resp.Body); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, resp.Proto, resp.Status)
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s answered %s", args[0], args[1], resp.Status)
	}
	return nil
}
