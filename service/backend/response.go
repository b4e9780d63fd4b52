// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package backend

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
)

// Limits of what a backend sends before the body.
const (
	// MaxHeadBytes bounds the status line and the headers, and separately the trailers.
	MaxHeadBytes = 64 << 10
	// MaxFields bounds the headers.
	MaxFields = 256
	// maxInterim bounds the 1xx answers before the real one.
	maxInterim = 16
	// maxChunkLine bounds the length of a chunk with its extensions.
	maxChunkLine = 1 << 10
)

// Field is a header of an answer; its name is in the canonical form.
type Field struct{ Name, Value string }

// Response is the answer of a backend. It lives until it is closed, and shares memory
// with the connection.
type Response struct {
	// Status is from 200 to 599.
	Status int
	// Fields are the headers that are for the caller, not those of the connection or the
	// framing.
	Fields []Field
	// Length is that of the body, -1 where only its end tells.
	Length int64

	conn *conn
	mode framing
	// left is what is to come of the body, or of the chunk.
	left int64
	// trailers is how many bytes of trailers there were.
	trailers int
	// keep says that the connection can be used again.
	keep bool
	// fault is what the next piece of the body would have been.
	fault error
}

// framing is how the end of a body is found, and in chunks where in them one is.
type framing int

const (
	framedDone framing = iota
	framedLength
	framedClose
	chunkSize
	chunkData
	chunkEnd
	chunkTrailer
)

// readHead reads up to the body.
func (a *Response) readHead(method string) error {
	for range maxInterim {
		head, err := a.conn.head()
		if err != nil {
			return err
		}
		if err := a.parse(head, method); err != nil {
			return err
		}
		switch {
		case a.Status == http.StatusSwitchingProtocols:
			return broken("the backend switches protocols, which nobody asked for")
		case a.Status >= http.StatusOK:
			return nil
		}
	}
	return broken("the backend sent %d interim answers", maxInterim)
}

// head returns the bytes up to the empty line, as a string that is safe to keep.
func (c *conn) head() (string, error) {
	scanned := 0
	for {
		if stop, next := headEnd(c.buf[c.r:c.w], scanned); next > 0 {
			head := string(c.buf[c.r : c.r+stop])
			c.r += next
			return head, nil
		}
		size := c.w - c.r
		if size >= MaxHeadBytes {
			return "", broken("the head of the answer has more than %d bytes", MaxHeadBytes)
		}
		if size == len(c.buf) {
			c.grow()
		}
		if err := c.fill(); err != nil {
			return "", err
		}
		// The end may have begun in what was there.
		scanned = max(0, size-len("\n\r"))
	}
}

// headEnd finds the empty line behind the head, looking from there on: where it stands,
// and where the body begins; 0 where it is not there yet.
func headEnd(data []byte, from int) (stop, next int) {
	for {
		i := bytes.IndexByte(data[from:], '\n')
		if i < 0 {
			return 0, 0
		}
		from += i + 1
		switch rest := data[from:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return from, from + 1
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return from, from + 2
		}
	}
}

// parse reads a head: the status line and the fields, each ended by a line feed.
func (a *Response) parse(head, method string) error {
	line, rest := cutLine(head)
	version, status, err := parseStatus(line)
	if err != nil {
		return err
	}
	a.Status, a.Fields, a.keep = status, a.Fields[:0], version == 1
	length, chunked := int64(-1), false
	var connection []string
	for rest != "" {
		line, rest = cutLine(rest)
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isToken(name) {
			return broken("the answer has a header that is none: %.60q", line)
		}
		value = strings.Trim(value, " \t")
		if !isHeaderValue(value) {
			return broken("the answer's header %s has control characters", name)
		}
		if len(a.Fields) == MaxFields {
			return broken("the answer has more than %d headers", MaxFields)
		}
		switch name = textproto.CanonicalMIMEHeaderKey(name); name {
		case "Content-Length":
			n, err := parseLength(value)
			if err != nil {
				return err
			}
			if length >= 0 && length != n {
				return broken("the answer has two lengths, %d and %d", length, n)
			}
			length = n
		case "Transfer-Encoding":
			if chunked || !strings.EqualFold(value, "chunked") {
				return broken("the answer has the transfer encoding %.60q, which was not asked for", value)
			}
			chunked = true
		case "Connection":
			connection = append(connection, value)
		case "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Upgrade":
		default:
			a.Fields = append(a.Fields, Field{name, value})
		}
	}
	if connection != nil {
		a.connection(connection, version)
	} else if version == 0 {
		a.keep = false
	}
	return a.frame(method, version, length, chunked)
}

// connection follows the header Connection and removes the fields that it names.
func (a *Response) connection(values []string, version int) {
	a.keep = version == 1
	for _, value := range values {
		for option := range strings.SplitSeq(value, ",") {
			option = strings.Trim(option, " \t")
			switch {
			case strings.EqualFold(option, "close"):
				a.keep = false
			case strings.EqualFold(option, "keep-alive"):
				// What HTTP/1.0 does with it differs; such a connection is not kept.
			default:
				a.Fields = slices.DeleteFunc(a.Fields, func(f Field) bool { return strings.EqualFold(f.Name, option) })
			}
		}
	}
}

// frame finds out how the body ends. Source: RFC 9112, 6.3.
func (a *Response) frame(method string, version int, length int64, chunked bool) error {
	a.trailers, a.fault = 0, nil
	switch {
	case chunked && length >= 0:
		return broken("the answer has a length and is chunked as well")
	case chunked && version == 0:
		return broken("the answer is chunked in HTTP/1.0, which has no chunks")
	case method == http.MethodHead || a.Status < http.StatusOK || a.Status == http.StatusNoContent || a.Status == http.StatusNotModified:
		a.Length, a.left, a.mode = 0, 0, framedDone
	case chunked:
		a.Length, a.left, a.mode = -1, 0, chunkSize
		return a.advance()
	case length >= 0:
		a.Length, a.left, a.mode = length, length, framedLength
		if length == 0 {
			a.mode = framedDone
		}
	default:
		a.Length, a.left, a.mode, a.keep = -1, 0, framedClose, false
	}
	return nil
}

// cutLine returns the first line without its end, and the rest.
func cutLine(text string) (line, rest string) {
	line, rest, _ = strings.Cut(text, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

// parseStatus reads a status line; the version is the digit behind "HTTP/1.".
func parseStatus(line string) (version, status int, err error) {
	const shape = "HTTP/1.1 200"
	if len(line) < len(shape) || line[:7] != "HTTP/1." || line[8] != ' ' || len(line) > len(shape) && line[len(shape)] != ' ' {
		return 0, 0, broken("the answer does not begin like HTTP/1.1: %.60q", line)
	}
	switch line[7] {
	case '0':
	case '1':
		version = 1
	default:
		return 0, 0, broken("the answer is of the version %.8q", line)
	}
	for _, c := range []byte(line[9:12]) {
		if c < '0' || c > '9' {
			return 0, 0, broken("the answer has no status: %.60q", line)
		}
		status = 10*status + int(c-'0')
	}
	if status < 100 || status > 599 {
		return 0, 0, broken("the answer has the status %d", status)
	}
	if !isHeaderValue(line) {
		return 0, 0, broken("the answer's status line has control characters")
	}
	return version, status, nil
}

// parseLength reads a Content-Length. Several values in one header are refused even
// where they agree: nobody sends them in good faith.
func parseLength(text string) (int64, error) {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, broken("the answer has the length %.60q", text)
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, broken("the answer has the length %.60q", text)
	}
	return n, nil
}

// Done reports whether all of the body has been returned.
func (a *Response) Done() bool { return a.mode == framedDone }

// Ready reports whether there is more of the body without waiting for the backend.
func (a *Response) Ready() bool {
	switch a.mode {
	case framedLength, framedClose, chunkData:
		return a.conn.r < a.conn.w
	}
	return false
}

// Next returns the next piece of the body, which is good until the next call, or io.EOF
// behind the last. Any other error is an [*Error]: the body broke off.
func (a *Response) Next() ([]byte, error) {
	c := a.conn
	for a.mode != framedDone && a.fault == nil {
		if a.Ready() {
			return a.take(), nil
		}
		if a.Length < 0 && c.r == c.w || a.left > int64(len(c.buf)) {
			c.enlarge()
		}
		err := c.fill()
		switch {
		case err == nil:
			a.fault = a.advance()
		case errors.Is(err, io.EOF) && a.mode == framedClose && c.endedWell():
			a.mode = framedDone
		case errors.Is(err, io.EOF):
			a.fault = broken("the answer broke off within its body")
		default:
			a.fault = c.explain(err, Broken)
		}
	}
	if a.fault != nil {
		return nil, a.fault
	}
	return nil, io.EOF
}

// take returns what is in the buffer of the body.
func (a *Response) take() []byte {
	c := a.conn
	piece := c.buf[c.r:c.w]
	if a.mode == framedClose {
		c.r = c.w
		return piece
	}
	piece = piece[:min(int64(len(piece)), a.left)]
	a.left -= int64(len(piece))
	c.r += len(piece)
	switch {
	case a.left > 0:
	case a.mode == framedLength:
		a.mode = framedDone
	default:
		a.mode = chunkEnd
		// The piece is good whatever comes behind it.
		a.fault = a.advance()
	}
	return piece
}

// advance reads what stands between chunks, as far as it is in the buffer.
func (a *Response) advance() error {
	c := a.conn
	for a.mode == chunkSize || a.mode == chunkEnd || a.mode == chunkTrailer {
		i := bytes.IndexByte(c.buf[c.r:c.w], '\n')
		if i < 0 {
			if c.w-c.r > maxChunkLine {
				return broken("the answer has a line between chunks that does not end")
			}
			return nil
		}
		line, ended := bytes.CutSuffix(c.buf[c.r:c.r+i], []byte("\r"))
		if !ended || bytes.IndexByte(line, '\r') >= 0 {
			return broken("the answer has a line between chunks that ends in more ways than one")
		}
		switch a.mode {
		case chunkSize:
			n, err := parseChunkSize(line)
			if err != nil {
				return err
			}
			if a.left, a.mode = n, chunkData; n == 0 {
				a.mode = chunkTrailer
			}
		case chunkEnd:
			if len(line) > 0 {
				return broken("the answer has a chunk that is longer than it says")
			}
			a.mode = chunkSize
		case chunkTrailer:
			a.trailers += i + 1
			if a.trailers > MaxHeadBytes {
				return broken("the answer has more than %d bytes of trailers", MaxHeadBytes)
			}
			if len(line) == 0 {
				a.mode = framedDone
			} else if name, value, ok := strings.Cut(string(line), ":"); !ok || !isToken(name) || !isHeaderValue(value) {
				return broken("the answer has a trailer that is none: %.60q", line)
			}
		}
		c.r += i + 1
	}
	return nil
}

// parseChunkSize reads the line before a chunk; its extensions mean nothing to us.
func parseChunkSize(line []byte) (int64, error) {
	digits, _, _ := bytes.Cut(line, []byte(";"))
	digits = bytes.TrimRight(digits, " \t")
	if len(digits) == 0 || len(digits) > 15 {
		return 0, broken("the answer has a chunk of the length %.60q", line)
	}
	var n int64
	for _, c := range digits {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, broken("the answer has a chunk of the length %.60q", line)
		}
		n = n<<4 | int64(c)
	}
	return n, nil
}

// Close ends the call. The connection is kept where all of the body was read, and
// closed otherwise.
func (a *Response) Close() {
	done := a.mode == framedDone && a.fault == nil
	a.mode = framedDone
	a.conn.finish(done && a.keep)
}
