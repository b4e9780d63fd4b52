// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package backend

import (
	"errors"
	"io"
	"strconv"
	"sync"
)

// Request is a request to a backend. It is made with [Request.Begin] and used once at a
// time; beginning anew reuses its memory.
type Request struct {
	method string
	// head is the request line and the headers, without what frames the body.
	head []byte
	err  *Error

	body   []byte
	stream io.Reader
	// length is that of the stream, -1 where it is not known.
	length    int64
	interrupt func()
}

// maxKeptHead is the largest buffer that a request keeps for the next one.
const maxKeptHead = 64 << 10

// Begin starts a request for the target, which is a path and maybe a query string, all
// percent-encoded. What is not legal in HTTP makes [Client.Do] fail.
func (r *Request) Begin(method string, b *Base, target []byte) {
	if cap(r.head) > maxKeptHead {
		r.head = nil
	}
	*r = Request{method: method, head: r.head[:0]}
	if !isToken(method) {
		r.invalid("the method")
	}
	if len(target) == 0 || target[0] != '/' {
		r.invalid("the target")
	}
	for _, c := range target {
		if c <= ' ' || c >= 0x7f {
			r.invalid("the target")
			break
		}
	}
	r.head = append(r.head, method...)
	r.head = append(r.head, ' ')
	r.head = append(r.head, target...)
	r.head = append(r.head, " HTTP/1.1\r\nHost: "...)
	r.head = append(r.head, b.authority...)
	r.head = append(r.head, "\r\n"...)
}

// Add adds a header. Its name and value must be legal; what frames the body is not the
// caller's to add.
func (r *Request) Add(name, value string) {
	if !isToken(name) {
		r.invalid("the name of a header")
	}
	if !isHeaderValue(value) {
		r.invalid("the value of the header " + name)
	}
	r.head = append(r.head, name...)
	r.head = append(r.head, ": "...)
	r.head = append(r.head, value...)
	r.head = append(r.head, "\r\n"...)
}

// SetBody gives the request a body that is sent as one piece, which may be empty.
func (r *Request) SetBody(body []byte) { r.body, r.stream = body, nil }

// SetStream gives the request a body that is sent as it is read, in chunks where its
// length is -1. interrupt makes a Read that waits return; it is called where the answer
// is there before the body has been sent.
func (r *Request) SetStream(body io.Reader, length int64, interrupt func()) {
	r.body, r.stream, r.length, r.interrupt = nil, body, length, interrupt
}

func (r *Request) invalid(what string) {
	if r.err == nil {
		r.err = failed(Invalid, errors.New(what+" has characters that HTTP does not have there"))
	}
}

// idempotent reports whether sending the request twice does what sending it once does.
func (r *Request) idempotent() bool {
	switch r.method {
	case "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE":
		return r.stream == nil
	}
	return false
}

// frame appends what tells where the body ends, and the body where it is one piece.
func (r *Request) frame() []byte {
	head := r.head
	switch {
	case r.stream != nil && r.length < 0:
		return append(head, "Transfer-Encoding: chunked\r\n\r\n"...)
	case r.stream != nil:
		head = append(head, "Content-Length: "...)
		head = strconv.AppendInt(head, r.length, 10)
	case r.body != nil || r.method == "POST" || r.method == "PUT" || r.method == "PATCH":
		head = append(head, "Content-Length: "...)
		head = strconv.AppendInt(head, int64(len(r.body)), 10)
	default:
		return append(head, "\r\n"...)
	}
	head = append(head, "\r\n\r\n"...)
	return append(head, r.body...)
}

// streamBuffer is how much of a body is held at once.
const streamBuffer = 32 << 10

// chunkRoom is for the length before a chunk and the line end behind it.
const chunkRoom = 8

var streamBuffers = sync.Pool{New: func() any {
	b := make([]byte, streamBuffer)
	return &b
}}

// errLength is why a body whose length was announced is not sent.
var errLength = errors.New("the body does not have the length that was announced")

// sendStream sends the streamed body. The error is of kind Body where it cannot be
// read, and otherwise that of the connection.
func (r *Request) sendStream(w io.Writer) error {
	buffer := streamBuffers.Get().(*[]byte) //nolint:forcetypeassert // The pool has nothing else.
	defer streamBuffers.Put(buffer)
	space := (*buffer)[chunkRoom : streamBuffer-chunkRoom]
	var sent int64
	for {
		n, err := r.stream.Read(space)
		if n > 0 {
			sent += int64(n)
			if r.length >= 0 && sent > r.length {
				return failed(Body, errLength)
			}
			piece := space[:n]
			if r.length < 0 {
				piece = chunk(*buffer, n)
			}
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
			continue
		case !errors.Is(err, io.EOF):
			return failed(Body, err)
		case r.length < 0:
			_, err = io.WriteString(w, "0\r\n\r\n")
			return err
		case sent != r.length:
			return failed(Body, errLength)
		}
		return nil
	}
}

// chunk frames the n bytes that lie chunkRoom behind the buffer's beginning.
func chunk(buffer []byte, n int) []byte {
	var size [chunkRoom]byte
	line := append(strconv.AppendInt(size[:0], int64(n), 16), "\r\n"...)
	start := chunkRoom - len(line)
	copy(buffer[start:], line)
	return append(buffer[start:chunkRoom+n], "\r\n"...)
}

// tokenBytes are what the name of a header or method consists of (RFC 9110, 5.6.2).
var tokenBytes = func() (table [256]bool) {
	for c := range 256 {
		table[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		table[c] = true
	}
	return table
}()

func isToken(text string) bool {
	for i := range len(text) {
		if !tokenBytes[text[i]] {
			return false
		}
	}
	return text != ""
}

// isHeaderValue reports whether the value has no control characters but the tab.
func isHeaderValue(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
