// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The scheme of signed calls is the one that Huawei Cloud's SDKs for apps sign with.
const (
	signatureScheme = "SDK-HMAC-SHA256"
	// signatureDate is the layout of the header X-Sdk-Date, in UTC.
	signatureDate = "20060102T150405Z"
	// maxClockSkew is how far the date of a signed call may be from the gateway's clock.
	maxClockSkew = 15 * time.Minute
	// maxSignedHeaders bounds the list of signed headers.
	maxSignedHeaders = 100
)

// Headers of signed calls, in their canonical form.
const (
	authorizationHeader = "Authorization"
	dateHeader          = "X-Sdk-Date"
	bodyHashHeader      = "X-Sdk-Content-Sha256"
)

// emptyBodyHash is the SHA-256 of no body.
const emptyBodyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// signed is what the header Authorization of a signed call says.
type signed struct {
	// access is the key of the app.
	access string
	// headers is the list of signed headers as it was sent, in lower case with semicolons.
	headers   string
	signature [sha256.Size]byte
}

// parseSigned reads what follows the scheme: Access=…, SignedHeaders=…, Signature=….
func parseSigned(text string) (s signed, ok bool) {
	signature, seen := "", 0
	for text != "" {
		var part string
		part, text, _ = strings.Cut(text, ",")
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		var target *string
		switch name {
		case "Access":
			target = &s.access
		case "SignedHeaders":
			target = &s.headers
		case "Signature":
			target = &signature
		}
		if target == nil || *target != "" || value == "" {
			return signed{}, false
		}
		*target = value
		seen++
	}
	if seen != 3 || len(signature) != hex.EncodedLen(len(s.signature)) {
		return signed{}, false
	}
	if _, err := hex.Decode(s.signature[:], []byte(signature)); err != nil {
		return signed{}, false
	}
	return s, listsHeaders(s.headers)
}

// listsHeaders reports whether the list names headers in lower case, each once.
func listsHeaders(list string) bool {
	if strings.Count(list, ";") >= maxSignedHeaders {
		return false
	}
	for rest, more := list, true; more; {
		var name string
		name, rest, more = strings.Cut(rest, ";")
		if !isLowerHeader(name) || inList(rest, name) {
			return false
		}
	}
	return true
}

func isLowerHeader(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c < '0' && c != '-' || c > '9' && c != '_' && (c < 'a' || c > 'z') {
			return false
		}
	}
	return name != ""
}

// signs reports whether the header, in lower case, is among the signed ones.
func (s signed) signs(name string) bool { return inList(s.headers, name) }

func inList(list, name string) bool {
	for {
		i := strings.Index(list, name)
		if i < 0 {
			return false
		}
		end := i + len(name)
		if (i == 0 || list[i-1] == ';') && (end == len(list) || list[end] == ';') {
			return true
		}
		list = list[end:]
	}
}

// pair is a parameter of the query string, decoded.
type pair struct{ name, value string }

// canonical is a buffer for what is signed; it is reused.
type canonical struct {
	text  []byte
	pairs []pair
}

// build writes the canonical form of a request: method, path, query string, signed
// headers, their list, and the hash of the body, a line each. Everything that a proxy may
// write in another way is brought to one form. ok is false where the query string
// cannot be decoded.
func (c *canonical) build(r *http.Request, s signed, bodyHash string) (ok bool) {
	c.text = append(append(c.text[:0], r.Method...), '\n')
	c.appendPath(r.URL.Path)
	c.text = append(c.text, '\n')
	if !c.appendQuery(r.URL.RawQuery) {
		return false
	}
	c.text = append(c.text, '\n')
	for name := range strings.SplitSeq(s.headers, ";") {
		c.appendHeader(r, name)
	}
	c.text = append(append(append(c.text, '\n'), s.headers...), '\n')
	c.text = append(c.text, bodyHash...)
	return true
}

// appendPath appends the path, which always ends in a slash here.
func (c *canonical) appendPath(path string) {
	for i := range len(path) {
		if path[i] == '/' {
			c.text = append(c.text, '/')
			continue
		}
		c.text = appendEscaped(c.text, path[i:i+1])
	}
	if !strings.HasSuffix(path, "/") {
		c.text = append(c.text, '/')
	}
}

// appendQuery appends the parameters by name and value.
func (c *canonical) appendQuery(query string) (ok bool) {
	c.pairs = c.pairs[:0]
	for query != "" {
		var text string
		if text, query, _ = strings.Cut(query, "&"); text == "" {
			continue
		}
		name, value, _ := strings.Cut(text, "=")
		var p pair
		var err error
		if p.name, err = url.QueryUnescape(name); err != nil {
			return false
		}
		if p.value, err = url.QueryUnescape(value); err != nil {
			return false
		}
		c.pairs = append(c.pairs, p)
	}
	slices.SortFunc(c.pairs, func(a, b pair) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.value, b.value))
	})
	for i, p := range c.pairs {
		if i > 0 {
			c.text = append(c.text, '&')
		}
		c.text = append(appendEscaped(c.text, p.name), '=')
		c.text = appendEscaped(c.text, p.value)
	}
	return true
}

// appendHeader appends a line for each value that was sent.
func (c *canonical) appendHeader(r *http.Request, name string) {
	values := r.Header[http.CanonicalHeaderKey(name)]
	if name == "host" {
		values = []string{r.Host}
	}
	if len(values) > 1 {
		values = slices.Sorted(slices.Values(values))
	}
	for _, value := range values {
		c.text = append(append(append(c.text, name...), ':'), strings.TrimSpace(value)...)
		c.text = append(c.text, '\n')
	}
}

// signedBy reports whether the signature of what was built is made with the secret. It
// takes as long whether it is or not.
func (c *canonical) signedBy(secret []byte, date string, signature [sha256.Size]byte) bool {
	hash := sha256.Sum256(c.text)
	text := make([]byte, 0, 128)
	text = append(append(text, signatureScheme...), '\n')
	text = append(append(text, date...), '\n')
	text = hex.AppendEncode(text, hash[:])
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write(text) // it never fails
	return hmac.Equal(mac.Sum(hash[:0]), signature[:])
}

// forget lets go of what belongs to a call.
func (c *canonical) forget() {
	clear(c.pairs)
	if cap(c.text) > maxPooledBody {
		c.text = nil
	}
}
