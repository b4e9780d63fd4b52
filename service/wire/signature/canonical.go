// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package signature

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service/percent"
)

// maxSignedHeaders bounds the list of signed headers.
const maxSignedHeaders = 100

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

// Canonical holds the canonical form of a request. It may be used again for another one.
type Canonical struct {
	text  []byte
	pairs []pair
}

// Build writes the canonical form of a request: method, path, query string, signed
// headers, their list, and the hash of the body, a line each. Everything that a proxy may
// write in another way is brought to one form. ok is false where the query string
// cannot be decoded.
func (c *Canonical) Build(r *http.Request, signedHeaders, bodyHash string) (ok bool) {
	c.text = append(append(c.text[:0], r.Method...), '\n')
	c.appendPath(r.URL.Path)
	c.text = append(c.text, '\n')
	if !c.appendQuery(r.URL.RawQuery) {
		return false
	}
	c.text = append(c.text, '\n')
	for name := range strings.SplitSeq(signedHeaders, ";") {
		c.appendHeader(r, name)
	}
	c.text = append(append(append(c.text, '\n'), signedHeaders...), '\n')
	c.text = append(c.text, bodyHash...)
	return true
}

// String returns the canonical form, for the person who looks for a difference.
func (c *Canonical) String() string { return string(c.text) }

// appendPath appends the path, which always ends in a slash here.
func (c *Canonical) appendPath(path string) {
	for i := range len(path) {
		if path[i] == '/' {
			c.text = append(c.text, '/')
			continue
		}
		c.text = percent.Append(c.text, path[i:i+1])
	}
	if !strings.HasSuffix(path, "/") {
		c.text = append(c.text, '/')
	}
}

// appendQuery appends the parameters by name and value.
func (c *Canonical) appendQuery(query string) (ok bool) {
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
	c.appendPairs()
	return true
}

// appendPairs appends the pairs in their order, encoded.
func (c *Canonical) appendPairs() {
	slices.SortFunc(c.pairs, func(a, b pair) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.value, b.value))
	})
	for i, p := range c.pairs {
		if i > 0 {
			c.text = append(c.text, '&')
		}
		c.text = append(percent.Append(c.text, p.name), '=')
		c.text = percent.Append(c.text, p.value)
	}
}

// appendHeader appends a line for each value that was sent.
func (c *Canonical) appendHeader(r *http.Request, name string) {
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

// Forget lets go of what belongs to a request, and of a buffer that is larger than most bytes.
func (c *Canonical) Forget(most int) {
	clear(c.pairs)
	if cap(c.text) > most {
		c.text = nil
	}
}
