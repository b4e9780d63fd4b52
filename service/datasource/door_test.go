// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// door stands before a PostgreSQL server that trusts everybody and asks for a
// password, and for TLS where it has a certificate. Behind it everything is the
// server's own.
type door struct {
	t        *testing.T
	server   string
	listener net.Listener
	tls      *tls.Config

	mu       sync.Mutex
	password string
	open     map[net.Conn]struct{}
	accepted int
}

func newDoor(t *testing.T, server, password string, certificate *tls.Config) *door {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{t: t, server: server, listener: listener, tls: certificate, password: password, open: map[net.Conn]struct{}{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { d.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		d.drop()
		serving.Wait()
	})
	return d
}

func (d *door) port() int { return d.listener.Addr().(*net.TCPAddr).Port }

// drop breaks every connection.
func (d *door) drop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for conn := range d.open {
		_ = conn.Close()
	}
}

func (d *door) setPassword(password string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.password = password
}

// connections returns how many came in through the door, with the right password.
func (d *door) connections() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.accepted
}

func (d *door) serve(conn net.Conn) {
	d.mu.Lock()
	d.open[conn] = struct{}{}
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		delete(d.open, conn)
		d.mu.Unlock()
		_ = conn.Close()
	}()
	inside := conn
	backend := pgproto3.NewBackend(inside, inside)
	for {
		message, err := backend.ReceiveStartupMessage()
		if err != nil {
			return
		}
		switch m := message.(type) {
		case *pgproto3.SSLRequest:
			if d.tls == nil {
				if _, err := conn.Write([]byte{'N'}); err != nil {
					return
				}
				continue
			}
			if _, err := conn.Write([]byte{'S'}); err != nil {
				return
			}
			inside = tls.Server(conn, d.tls)
			backend = pgproto3.NewBackend(inside, inside)
		case *pgproto3.CancelRequest:
			d.relay(inside, m)
			return
		case *pgproto3.StartupMessage:
			backend.Send(&pgproto3.AuthenticationCleartextPassword{})
			if backend.Flush() != nil || backend.SetAuthType(pgproto3.AuthTypeCleartextPassword) != nil {
				return
			}
			answer, err := backend.Receive()
			if err != nil {
				return
			}
			password, ok := answer.(*pgproto3.PasswordMessage)
			d.mu.Lock()
			right := ok && password.Password == d.password
			if right {
				d.accepted++
			}
			d.mu.Unlock()
			if !right {
				backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "28P01", Message: "password authentication failed"})
				_ = backend.Flush()
				return
			}
			d.relay(inside, m)
			return
		default:
			return
		}
	}
}

// relay sends the first message to the server and then copies both ways.
func (d *door) relay(inside net.Conn, first pgproto3.FrontendMessage) {
	server, err := net.Dial("tcp", d.server)
	if err != nil {
		return
	}
	defer server.Close()
	d.mu.Lock()
	d.open[server] = struct{}{}
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		delete(d.open, server)
		d.mu.Unlock()
	}()
	data, err := first.Encode(nil)
	if err != nil {
		return
	}
	if _, err := server.Write(data); err != nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(server, inside)
		_ = server.Close()
	}()
	_, _ = io.Copy(inside, server)
	_ = inside.Close()
	<-done
}

// certificate makes one for the host that nobody has signed but itself.
func certificate(t *testing.T, host string) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
}
