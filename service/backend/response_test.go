// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package backend

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAnswersAreReadInOneWayOnly is the table of what frames a body: what could be read
// in two ways is refused.
func TestAnswersAreReadInOneWayOnly(t *testing.T) {
	const broken = "broken"
	for _, test := range []struct{ name, answer, want string }{
		{"a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "200 hi"},
		{"no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", "200 hi"},
		{"an empty reason", "HTTP/1.1 404 \r\nContent-Length: 2\r\n\r\nhi", "404 hi"},
		{"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", "200 hi"},
		{"the same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", "200 hi"},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1;x=y\r\ni\r\n0\r\n\r\n", "200 hi"},
		{"chunks in capitals with a trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n000\r\nX-Sum: 1\r\n\r\n", "200 0123456789"},
		{"no content", "HTTP/1.1 204 No Content\r\n\r\n", "204 "},
		{"no content with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "204 "},
		{"not modified with the length of what is not sent", "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n", "304 "},
		{"interim answers", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "200 hi"},
		{"until the end of the connection", "HTTP/1.1 200 OK\r\n\r\nhi", "200 hi"},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhi", "200 hi"},

		{"a length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", broken},
		{"chunks and a length", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nhi\r\n0\r\n\r\n", broken},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!", broken},
		{"two lengths in one", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi", broken},
		{"a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi", broken},
		{"a length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi", broken},
		{"a length in hex", "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nhi", broken},
		{"an empty length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhi", broken},
		{"a length beyond 64 bits", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551618\r\n\r\nhi", broken},
		{"another transfer encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhi", broken},
		{"two transfer encodings", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", broken},
		{"chunked twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", broken},
		{"chunked with a tail", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n", broken},
		{"chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", broken},
		{"a space before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nhi", broken},
		{"a folded header", "HTTP/1.1 200 OK\r\nX: a\r\n Content-Length: 2\r\n\r\nhi", broken},
		{"a header without a name", "HTTP/1.1 200 OK\r\n: a\r\n\r\nhi", broken},
		{"a header without a colon", "HTTP/1.1 200 OK\r\nX\r\n\r\nhi", broken},
		{"a carriage return in a value", "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\nhi", broken},
		{"a NUL in a value", "HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\nhi", broken},
		{"a name with a space", "HTTP/1.1 200 OK\r\nX Y: a\r\n\r\nhi", broken},
		{"another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n", broken},
		{"another version", "HTTP/2.0 200 OK\r\n\r\n", broken},
		{"version 1.2", "HTTP/1.2 200 OK\r\n\r\n", broken},
		{"a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", broken},
		{"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", broken},
		{"a status that is none", "HTTP/1.1 999 OK\r\n\r\n", broken},
		{"a status with letters", "HTTP/1.1 2x0 OK\r\n\r\n", broken},
		{"an empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n", broken},
		{"a switch of protocols", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", broken},
		{"interim answers without an end", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 20), broken},
		{"too long a head", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", MaxHeadBytes) + "\r\n\r\n", broken},
		{"too many headers", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", MaxFields+1) + "\r\n", broken},
		{"a head that ends early", "HTTP/1.1 200 OK\r\nContent-", broken},
		{"a body that ends early", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", broken},
		{"chunks that end early", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", broken},
		{"a chunk that ends early", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhi", broken},
		{"no last line behind the chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n", broken},
		{"a chunk line with a bare line feed", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nhi\r\n0\r\n\r\n", broken},
		{"a carriage return in a chunk line", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;\rx\r\nhi\r\n0\r\n\r\n", broken},
		{"a chunk that is longer than it says", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nhi\r\n0\r\n\r\n", broken},
		{"a chunk without a length", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\nhi\r\n0\r\n\r\n", broken},
		{"a negative chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nhi\r\n0\r\n\r\n", broken},
		{"a chunk in 0x", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\nhi\r\n0\r\n\r\n", broken},
		{"a chunk with a space before its length", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n 2\r\nhi\r\n0\r\n\r\n", broken},
		{"a chunk beyond 64 bits", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000002\r\nhi\r\n0\r\n\r\n", broken},
		{"a chunk line without an end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;" + strings.Repeat("x", 8<<10) + "\r\nhi\r\n0\r\n\r\n", broken},
		{"trailers without an end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("X: y\r\n", MaxHeadBytes/5) + "\r\n", broken},
		{"a trailer that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHTTP/1.1 200 OK\r\n\r\n", broken},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, pieces := range []int{len(test.answer), 1, 3} {
				c := reading(test.answer, pieces)
				err := c.answer.readHead("GET")
				got := ""
				if err == nil {
					var body string
					body, err = whole(&c.answer)
					got = fmt.Sprintf("%d %s", c.answer.Status, body)
				}
				if err != nil {
					got = broken
					if KindOf(err) != Broken && KindOf(c.explain(err, Broken)) != Broken {
						t.Errorf("in pieces of %d: the error is %v", pieces, err)
					}
				}
				if got != test.want {
					t.Errorf("in pieces of %d: %.100s (%v), want %s", pieces, got, err, test.want)
				}
			}
		})
	}
}

// reading is a connection that holds the bytes, which come in pieces of that size.
func reading(text string, pieces int) *conn {
	c := newConn(&host{}, &script{text: text, pieces: pieces}, nil)
	c.ctx = context.Background()
	return c
}

// script is a connection whose other side has sent all that it will.
type script struct {
	net.Conn
	text   string
	pieces int
}

func (s *script) Read(p []byte) (int, error) {
	if s.text == "" {
		return 0, io.EOF
	}
	n := copy(p, s.text[:min(max(s.pieces, 1), len(s.text))])
	s.text = s.text[n:]
	return n, nil
}

func (s *script) Close() error { return nil }

func TestHeadersOfTheConnectionAreNotThoseOfTheAnswer(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\n" +
		"Connection: close, X-Private\r\nConnection: x-other ,Keep-Alive\r\nKeep-Alive: timeout=5\r\n" +
		"X-Private: 1\r\nX-OTHER: 2\r\nX-Kept: 3\r\nProxy-Authenticate: Basic\r\nProxy-Connection: x\r\nTE: trailers\r\n" +
		"Trailer: X-Sum\r\nUpgrade: h2c\r\ncontent-type: text/plain\r\nX-Kept: 4\r\nContent-Length: 2\r\n\r\nhi"
	c := reading(head, len(head))
	if err := c.answer.readHead("GET"); err != nil {
		t.Fatal(err)
	}
	want := []Field{{"X-Kept", "3"}, {"Content-Type", "text/plain"}, {"X-Kept", "4"}}
	if diff := cmp.Diff(want, c.answer.Fields); diff != "" {
		t.Error(diff)
	}
	if c.answer.keep {
		t.Error("the connection is kept")
	}
}

// FuzzResponse feeds whatever to the reader of answers. Where it takes them, so does
// the standard library, and reads the same.
func FuzzResponse(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1;x=y\r\ni\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 No\r\nX: y\r\n\r\nuntil the end",
		"HTTP/1.1 304 Not Modified\nContent-Length: 5\nConnection: x\n\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
	} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, text string, pieces int) {
		c := reading(text, pieces&0xff)
		err := c.answer.readHead("GET")
		if err != nil {
			return
		}
		got, err := whole(&c.answer)
		if err != nil {
			return
		}
		var standard *http.Response
		r := bufio.NewReader(strings.NewReader(text))
		for standard == nil || standard.StatusCode < 200 {
			if standard, err = http.ReadResponse(r, &http.Request{Method: http.MethodGet}); err != nil {
				t.Fatalf("taken, and the standard library says %v", err)
			}
		}
		defer standard.Body.Close()
		body, err := io.ReadAll(standard.Body)
		if err != nil || !bytes.Equal(body, []byte(got)) || standard.StatusCode != c.answer.Status {
			t.Fatalf("read %d %q, and the standard library %d %q, %v", c.answer.Status, got, standard.StatusCode, body, err)
		}
		for _, field := range c.answer.Fields {
			if !isToken(field.Name) || !isHeaderValue(field.Value) {
				t.Fatalf("the header %q: %q is passed on", field.Name, field.Value)
			}
		}
	})
}
