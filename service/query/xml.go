// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package query

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// element is a tag of a MyBatis script with what is inside, or a text.
type element struct {
	at int
	// tag is "" for a text.
	tag        string
	attributes map[string]attribute
	children   []element
	text       sourced
}

type attribute struct {
	at    int
	value string
}

// sourced is a text that knows where in the script its bytes come from.
type sourced struct {
	text     string
	segments []segment
}

// maxDepth bounds how deep tags are nested.
const maxDepth = 50

// xmlParser reads the XML in which MyBatis scripts are written. It takes more than XML
// does: a < or & that cannot start a tag or an entity is only what it is.
type xmlParser struct {
	source   string
	at       int
	problems []problem
}

func (p *xmlParser) refuse(at int, format string, args ...any) {
	p.problems = append(p.problems, problem{at, fmt.Sprintf(format, args...)})
}

var (
	namePattern   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.:-]*`)
	entityPattern = regexp.MustCompile(`^&(?:[A-Za-z]+|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});`)
)

// parseXML returns the elements of the script.
func parseXML(source string) ([]element, []problem) {
	p := &xmlParser{source: source}
	elements := p.elements("", 0)
	return elements, p.problems
}

// elements reads up to the end of the parent tag, which it takes too.
func (p *xmlParser) elements(parent string, depth int) []element {
	start := p.at
	var elements []element
	var text strings.Builder
	var segments []segment
	flush := func() {
		if text.Len() > 0 {
			segments = append(segments, segment{text.Len(), p.at})
			elements = append(elements, element{at: segments[0].script, text: sourced{text.String(), segments}})
		}
		text.Reset()
		segments = nil
	}
	write := func(s string, at int) {
		segments = append(segments, segment{text.Len(), at})
		text.WriteString(s)
	}
	for p.at < len(p.source) && len(p.problems) == 0 {
		rest := p.source[p.at:]
		at := p.at
		switch {
		case strings.HasPrefix(rest, "<!--"):
			p.skip("<!--", "-->", "The comment")
		case strings.HasPrefix(rest, "<![CDATA["):
			if inside, ok := p.skip("<![CDATA[", "]]>", "The CDATA section"); ok {
				write(inside, at+len("<![CDATA["))
			}
		case strings.HasPrefix(rest, "</"):
			flush()
			name := namePattern.FindString(rest[2:])
			end := strings.IndexByte(rest, '>')
			if end < 0 || strings.TrimSpace(rest[2+len(name):end]) != "" {
				p.refuse(at, "The end of a tag is written </name>.")
				return elements
			}
			if parent == "" || name != parent {
				p.refuse(at, "</%s> ends a tag that is not open here%s.", name, openTag(parent))
				return elements
			}
			p.at += end + 1
			return elements
		case rest[0] == '<' && namePattern.MatchString(rest[1:]):
			flush()
			if depth == maxDepth {
				p.refuse(at, "Tags are nested more than %d deep.", maxDepth)
				return elements
			}
			elements = append(elements, p.element(depth))
		case rest[0] == '&' && entityPattern.MatchString(rest):
			entity := entityPattern.FindString(rest)
			decoded, ok := decodeEntity(entity)
			if !ok {
				p.refuse(at, "The entity %s is not known: there are &lt; &gt; &amp; &quot; &apos; and numbers.", entity)
				return elements
			}
			write(decoded, at)
			p.at += len(entity)
		default:
			n := 1
			for n < len(rest) && rest[n] != '<' && rest[n] != '&' {
				n++
			}
			write(rest[:n], at)
			p.at += n
		}
	}
	flush()
	if parent != "" && len(p.problems) == 0 {
		p.refuse(start, "The tag <%s> is not closed: add </%s>.", parent, parent)
	}
	return elements
}

func openTag(parent string) string {
	if parent == "" {
		return ""
	}
	return ", where <" + parent + "> is"
}

// skip goes behind what stands between the signs, and returns what that is.
func (p *xmlParser) skip(open, closing, what string) (string, bool) {
	inside := p.source[p.at+len(open):]
	n := strings.Index(inside, closing)
	if n < 0 {
		p.refuse(p.at, "%s is not closed: add %s.", what, closing)
		return "", false
	}
	p.at += len(open) + n + len(closing)
	return inside[:n], true
}

func decodeEntity(entity string) (string, bool) {
	switch entity {
	case "&lt;":
		return "<", true
	case "&gt;":
		return ">", true
	case "&amp;":
		return "&", true
	case "&quot;":
		return `"`, true
	case "&apos;":
		return "'", true
	}
	digits, base := strings.TrimPrefix(entity[1:len(entity)-1], "#"), 10
	if digits == entity[1:len(entity)-1] {
		return "", false
	}
	if strings.HasPrefix(digits, "x") {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseInt(digits, base, 32)
	if err != nil || n == 0 || !utf8.ValidRune(rune(n)) {
		return "", false
	}
	return string(rune(n)), true
}

// element reads a tag with what is inside.
func (p *xmlParser) element(depth int) element {
	e := element{at: p.at, tag: namePattern.FindString(p.source[p.at+1:]), attributes: map[string]attribute{}}
	p.at += 1 + len(e.tag)
	if _, known := tags[e.tag]; !known {
		p.refuse(e.at, "%s", unknownTag(e.tag))
		return e
	}
	for {
		p.at += len(p.source[p.at:]) - len(strings.TrimLeft(p.source[p.at:], " \t\r\n"))
		rest := p.source[p.at:]
		switch {
		case strings.HasPrefix(rest, "/>"):
			p.at += 2
			return e
		case strings.HasPrefix(rest, ">"):
			p.at++
			e.children = p.elements(e.tag, depth+1)
			return e
		}
		name := namePattern.FindString(rest)
		if name == "" {
			p.refuse(e.at, "The tag <%s> is not well written: a tag is <%s name=\"value\">.", e.tag, e.tag)
			return e
		}
		if !p.attribute(&e, name) {
			return e
		}
	}
}

var equalsPattern = regexp.MustCompile(`^[ \t\r\n]*=[ \t\r\n]*["']`)

func (p *xmlParser) attribute(e *element, name string) bool {
	at := p.at
	p.at += len(name)
	equals := equalsPattern.FindString(p.source[p.at:])
	if equals == "" {
		p.refuse(at, "The attribute %s of <%s> needs a value in quotes.", name, e.tag)
		return false
	}
	p.at += len(equals)
	start := p.at
	n := strings.IndexByte(p.source[p.at:], equals[len(equals)-1])
	if n < 0 {
		p.refuse(at, "The value of the attribute %s of <%s> is not closed: add %s.", name, e.tag, equals[len(equals)-1:])
		return false
	}
	raw := p.source[p.at : p.at+n]
	p.at += n + 1
	if _, twice := e.attributes[name]; twice {
		p.refuse(at, "The tag <%s> has the attribute %s twice.", e.tag, name)
		return false
	}
	if !tags[e.tag].knows(name) {
		p.refuse(at, "The tag <%s> has no attribute %s: it has %s.", e.tag, name, tags[e.tag].names())
		return false
	}
	var value strings.Builder
	for i := 0; i < len(raw); {
		entity := entityPattern.FindString(raw[i:])
		if entity == "" {
			value.WriteByte(raw[i])
			i++
			continue
		}
		decoded, ok := decodeEntity(entity)
		if !ok {
			p.refuse(start+i, "The entity %s is not known: there are &lt; &gt; &amp; &quot; &apos; and numbers.", entity)
			return false
		}
		value.WriteString(decoded)
		i += len(entity)
	}
	e.attributes[name] = attribute{start, value.String()}
	return true
}
