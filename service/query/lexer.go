// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package query

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

type kind uint8

const (
	// kindSpace is white space or one comment.
	kindSpace kind = iota
	// kindWord is a keyword, a name or a number.
	kindWord
	// kindQuoted is a quoted identifier.
	kindQuoted
	// kindText is a string, in whatever quotes.
	kindText
	// kindPlaceholder is `${name}`.
	kindPlaceholder
	kindOpen
	kindClose
	kindComma
	kindSemicolon
	// kindSymbol is any other single byte.
	kindSymbol
)

// token is a piece of a script: script[start:end].
type token struct {
	kind       kind
	start, end int
	// name is the name in a placeholder, and mark the index of the mark where those say
	// what is one.
	name string
	mark int
}

// problem is something that is wrong at a place of the script.
type problem struct {
	at      int
	message string
}

// lexer cuts a script into tokens just as the engine's own lexer would: where the
// two disagree on the end of a string or a comment, text could become SQL.
type lexer struct {
	sql             string
	postgres, mysql bool
	// marks say where the placeholders are, where marked is true; else ${name} is one.
	marks    []mark
	marked   bool
	tokens   []token
	problems []problem
}

// scan cuts the script into tokens that cover it without gaps. After a problem that
// leaves open where the next token starts it stops.
func scan(sql string, engine service.Engine, marks []mark, marked bool) ([]token, []problem) {
	l := lexer{sql: sql, postgres: engine == service.EnginePostgreSQL, mysql: engine == service.EngineMySQL, marks: marks, marked: marked}
	if i := strings.IndexByte(sql, 0); i >= 0 {
		return nil, []problem{{i, "The SQL contains the character U+0000: remove it."}}
	}
	if !utf8.ValidString(sql) {
		return nil, []problem{{invalidUTF8(sql), "The SQL is not valid UTF-8."}}
	}
	for at := 0; at < len(sql); {
		end, ok := l.next(at)
		if !ok {
			break
		}
		at = end
	}
	return l.tokens, l.problems
}

func invalidUTF8(s string) int {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(s)
}

func (l *lexer) refuse(at int, format string, args ...any) {
	l.problems = append(l.problems, problem{at, fmt.Sprintf(format, args...)})
}

func (l *lexer) add(k kind, start, end int) (int, bool) {
	l.tokens = append(l.tokens, token{kind: k, start: start, end: end})
	return end, true
}

// next takes the token that starts there and returns where it ends.
func (l *lexer) next(at int) (int, bool) {
	sql := l.sql
	c := sql[at]
	switch {
	case isSpace(c):
		end := at + 1
		for end < len(sql) && isSpace(sql[end]) {
			end++
		}
		return l.add(kindSpace, at, end)
	case l.marked && l.markAt(at) >= 0:
		return l.markToken(l.markAt(at))
	case l.marked && (strings.HasPrefix(sql[at:], "${") || strings.HasPrefix(sql[at:], "#{")):
		l.refuse(at, "A placeholder is written in one piece.")
		return at, false
	case strings.HasPrefix(sql[at:], "${"):
		return l.placeholder(at)
	case strings.HasPrefix(sql[at:], "#{"):
		l.refuse(at, "Write a placeholder as ${name}, not as #{name}, or set sql_mode to MYBATIS, which has both.")
		return at, false
	case l.mysql && strings.HasSuffix(sql[:at], "--") && (l.lineComment(at) || strings.HasPrefix(sql[at:], "/*")):
		// Without the comment the two would start one themselves.
		l.refuse(at, "A comment stands directly behind two minus signs: put a space between these.")
		return at, false
	case l.lineComment(at):
		return l.add(kindSpace, at, l.lineEnd(at))
	case l.mysql && (strings.HasPrefix(sql[at:], "/*!") || strings.HasPrefix(sql[at:], "/*M!")):
		l.refuse(at, "MySQL and MariaDB run what stands in a comment like this one: write it as SQL, or remove it.")
		return at, false
	case strings.HasPrefix(sql[at:], "/*"):
		return l.blockComment(at)
	case c == '\'', c == '"' && l.mysql:
		return l.quoted(at, at+1, c, kindText)
	case c == '"', c == '`' && !l.postgres:
		return l.quoted(at, at+1, c, kindQuoted)
	case c == '[' && !l.postgres && !l.mysql:
		return l.bracketed(at)
	case c == '$' && l.postgres:
		return l.dollar(at)
	case c == '@' && l.mysql:
		l.refuse(at, "Variables such as %s are refused: a user variable outlives the call that sets it, and a system variable tells of the server. Write a request parameter as ${name}.", l.variable(at))
		return at, false
	case (c == '?' || c == ':' || c == '@' || c == '#' || c == '$') && !l.postgres:
		l.refuse(at, "Nothing would fill the bind marker %q: write a request parameter as ${name}.", l.marker(at))
		return at, false
	case c == '{' && at > 0 && sql[at-1] == '$':
		// The end of a string in dollar signs, and no placeholder although it looks so.
		l.refuse(at, "This is no placeholder, but reads like one: put a space before the brace.")
		return at, false
	case c == '<' && myBatisTagPattern.MatchString(sql[at:]):
		l.refuse(at, "%s is a tag of MyBatis: set sql_mode to MYBATIS.", myBatisTagPattern.FindString(sql[at:]))
		return at, false
	case l.mysql && strings.HasPrefix(sql[at:], `\N`):
		// NULL, whatever stands behind it: \NINTO is NULL INTO.
		return l.add(kindWord, at, at+2)
	case isWordStart(c):
		return l.word(at)
	case isDigit(c):
		return l.number(at)
	case c == '(':
		return l.add(kindOpen, at, at+1)
	case c == ')':
		return l.add(kindClose, at, at+1)
	case c == ',':
		return l.add(kindComma, at, at+1)
	case c == ';':
		return l.add(kindSemicolon, at, at+1)
	default:
		return l.add(kindSymbol, at, at+1)
	}
}

// myBatisTagPattern finds tags that are no SQL.
var myBatisTagPattern = regexp.MustCompile(`^<(?:/?(?:where|choose|otherwise|set)\s*>|/(?:if|when|trim|foreach|bind)\s*>|(?:if|when)\s+test\s*=|(?:trim|foreach|bind)\s+[A-Za-z]+\s*=)`)

// lineComment reports whether a comment starts there that ends with its line.
func (l *lexer) lineComment(at int) bool {
	switch {
	case l.mysql && l.sql[at] == '#':
		return true
	case !strings.HasPrefix(l.sql[at:], "--"):
		return false
	case !l.mysql || at+2 == len(l.sql):
		return true
	}
	// To MySQL a--b is a number less a negative one.
	c := l.sql[at+2]
	return c <= ' ' || c == 0x7f
}

// isSpace is the engines' common idea of white space. A vertical tab is
// a symbol here, which no engine takes for one.
func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

func isWordPart(c byte) bool { return isWordStart(c) || isDigit(c) || c == '$' }

// lineEnd returns where a line comment ends; the line's end is not part of it.
func (l *lexer) lineEnd(at int) int {
	ends := "\n"
	if l.postgres {
		ends = "\r\n"
	}
	if n := strings.IndexAny(l.sql[at:], ends); n >= 0 {
		return at + n
	}
	return len(l.sql)
}

func (l *lexer) blockComment(at int) (int, bool) {
	depth := 1
	for end := at + 2; end < len(l.sql); {
		switch {
		case strings.HasPrefix(l.sql[end:], "*/"):
			end += 2
			if depth--; depth == 0 {
				return l.add(kindSpace, at, end)
			}
		case l.postgres && strings.HasPrefix(l.sql[end:], "/*"):
			// Comments nest in PostgreSQL, and nowhere else.
			depth++
			end += 2
		default:
			end++
		}
	}
	l.refuse(at, "The comment is not closed: add \"*/\".")
	return at, false
}

// quoted takes a token whose quote stands twice where it is meant itself. In a string
// of MySQL a backslash escapes too.
func (l *lexer) quoted(start, from int, quote byte, k kind) (int, bool) {
	for end := from; end < len(l.sql); end++ {
		if l.mysql && k == kindText && l.sql[end] == '\\' {
			end++
			continue
		}
		if l.sql[end] != quote {
			continue
		}
		if end+1 < len(l.sql) && l.sql[end+1] == quote {
			end++
			continue
		}
		return l.quotedToken(k, start, end+1)
	}
	l.refuse(start, "%s is not closed: add %s.", describe(k), string(quote))
	return start, false
}

// quotedToken adds a string or quoted identifier, which must not hold a placeholder.
func (l *lexer) quotedToken(k kind, start, end int) (int, bool) {
	for _, m := range l.within(start, end) {
		name := l.sql[m[0]:m[1]]
		if k == kindText {
			l.refuse(m[0], "The placeholder %s stands inside a string, where it is only text: take the quotes away, since values are bound (and join texts with %s).", name, l.joining())
		} else {
			l.refuse(m[0], "The placeholder %s stands inside a quoted name, but the names of tables and columns cannot be bound.", name)
		}
	}
	return l.add(k, start, end)
}

// within returns where placeholders stand between the places.
func (l *lexer) within(start, end int) [][2]int {
	var places [][2]int
	if l.marked {
		i, _ := slices.BinarySearchFunc(l.marks, start, func(m mark, at int) int { return m.start - at })
		for ; i < len(l.marks) && l.marks[i].start < end; i++ {
			places = append(places, [2]int{l.marks[i].start, l.marks[i].end})
		}
		return places
	}
	for _, m := range placeholderPattern.FindAllStringIndex(l.sql[start:end], -1) {
		places = append(places, [2]int{start + m[0], start + m[1]})
	}
	return places
}

// joining is how the engine joins texts. To MySQL || is OR.
func (l *lexer) joining() string {
	if l.mysql {
		return "CONCAT(…, …)"
	}
	return "||"
}

func describe(k kind) string {
	if k == kindText {
		return "The string"
	}
	return "The quoted name"
}

// bracketed takes one of SQLite's [names].
func (l *lexer) bracketed(at int) (int, bool) {
	n := strings.IndexByte(l.sql[at:], ']')
	if n < 0 {
		l.refuse(at, "The quoted name is not closed: add \"]\".")
		return at, false
	}
	return l.quotedToken(kindQuoted, at, at+n+1)
}

// escapeString takes a PostgreSQL string E'…', in which a backslash escapes.
func (l *lexer) escapeString(start int) (int, bool) {
	for end := start + 2; end < len(l.sql); end++ {
		switch l.sql[end] {
		case '\\':
			end++
		case '\'':
			if end+1 < len(l.sql) && l.sql[end+1] == '\'' {
				end++
				continue
			}
			if l.continued(end + 1) {
				// PostgreSQL reads on in the next line with the same escapes.
				l.refuse(start, "A string with escapes that goes on in another line is not supported: write it in one piece.")
				return start, false
			}
			return l.quotedToken(kindText, start, end+1)
		}
	}
	l.refuse(start, "The string is not closed: add '.")
	return start, false
}

// continued reports whether only white space with a line's end, and comments,
// stand between there and another quote.
func (l *lexer) continued(at int) bool {
	newline := false
	for at < len(l.sql) {
		switch c := l.sql[at]; {
		case c == '\n' || c == '\r':
			newline = true
			at++
		case isSpace(c) || c == '\v':
			at++
		case strings.HasPrefix(l.sql[at:], "--"):
			at = l.lineEnd(at)
		default:
			return newline && c == '\''
		}
	}
	return false
}

var dollarQuotePattern = regexp.MustCompile(`^\$(?:[A-Za-z_\x80-\x{10FFFF}][A-Za-z0-9_\x80-\x{10FFFF}]*)?\$`)

// dollar takes what starts with a dollar sign in PostgreSQL.
func (l *lexer) dollar(at int) (int, bool) {
	tag := dollarQuotePattern.FindString(l.sql[at:])
	switch {
	case tag != "":
		n := strings.Index(l.sql[at+len(tag):], tag)
		if n < 0 {
			l.refuse(at, "The string is not closed: add %s.", tag)
			return at, false
		}
		return l.quotedToken(kindText, at, at+n+2*len(tag))
	case at+1 < len(l.sql) && isDigit(l.sql[at+1]):
		l.refuse(at, "Nothing would fill the bind marker %q: write a request parameter as ${name}.", l.marker(at))
		return at, false
	default:
		return l.add(kindSymbol, at, at+1)
	}
}

// marker returns the bind marker that starts there.
func (l *lexer) marker(at int) string {
	end := at + 1
	for end < len(l.sql) && isWordPart(l.sql[end]) {
		end++
	}
	return l.sql[at:end]
}

// variable returns the variable of MySQL that starts there.
func (l *lexer) variable(at int) string {
	end := at + 1
	for end < len(l.sql) && (isWordPart(l.sql[end]) || l.sql[end] == '@' || l.sql[end] == '.') {
		end++
	}
	return l.sql[at:end]
}

// word takes a keyword or name, or the string that such a prefix introduces.
func (l *lexer) word(at int) (int, bool) {
	end := at + 1
	for end < len(l.sql) && isWordPart(l.sql[end]) && !strings.HasPrefix(l.sql[end:], "${") {
		end++
	}
	if l.postgres && end == at+1 && (l.sql[at] == 'E' || l.sql[at] == 'e') && end < len(l.sql) && l.sql[end] == '\'' {
		return l.escapeString(at)
	}
	return l.add(kindWord, at, end)
}

var (
	// realPattern finds a number that MySQL ends where it cannot go on: 1.INTO and 1e1INTO
	// are a number and a keyword, while 1INTO is a name.
	realPattern = regexp.MustCompile(`^[0-9]+(?:\.[0-9]*(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)`)
	// fractionPattern finds the rest of such a number that starts with its dot.
	fractionPattern = regexp.MustCompile(`^[0-9]+(?:[eE][+-]?[0-9]+)?`)
)

// number takes a number, and the dots in it: 1.5 is one token.
func (l *lexer) number(at int) (int, bool) {
	if l.mysql {
		return l.mysqlNumber(at)
	}
	end := at + 1
	for end < len(l.sql) && (isWordPart(l.sql[end]) || l.sql[end] == '.') && !strings.HasPrefix(l.sql[end:], "${") {
		end++
	}
	return l.add(kindWord, at, end)
}

// mysqlNumber takes a number, or a name that starts with a digit.
func (l *lexer) mysqlNumber(at int) (int, bool) {
	if found := realPattern.FindString(l.sql[at:]); found != "" {
		return l.add(kindWord, at, at+len(found))
	}
	if at > 0 && l.sql[at-1] == '.' && (at == 1 || !isWordPart(l.sql[at-2]) && l.sql[at-2] != '`') {
		return l.add(kindWord, at, at+len(fractionPattern.FindString(l.sql[at:])))
	}
	return l.word(at)
}

var placeholderPattern = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]{0,63}\}`)

func (l *lexer) placeholder(at int) (int, bool) {
	m := placeholderPattern.FindStringIndex(l.sql[at:])
	if m == nil || m[0] != 0 {
		l.refuse(at, "A placeholder is written ${name}, with 1 to 64 letters, digits and underscores, not starting with a digit.")
		return at, false
	}
	end := at + m[1]
	l.standsAlone(at, end)
	l.tokens = append(l.tokens, token{kind: kindPlaceholder, start: at, end: end, name: l.sql[at+2 : end-1]})
	return end, true
}

// markAt returns the index of the mark that starts there; -1 where none does.
func (l *lexer) markAt(at int) int {
	i, found := slices.BinarySearchFunc(l.marks, at, func(m mark, at int) int { return m.start - at })
	if !found {
		return -1
	}
	return i
}

func (l *lexer) markToken(i int) (int, bool) {
	m := l.marks[i]
	l.standsAlone(m.start, m.end)
	l.tokens = append(l.tokens, token{kind: kindPlaceholder, start: m.start, end: m.end, name: m.marker.Parameter, mark: i})
	return m.end, true
}

// standsAlone refuses a placeholder that is a part of something else.
func (l *lexer) standsAlone(at, end int) {
	beside := at > 0 && (isWordPart(l.sql[at-1]) || l.sql[at-1] == '}' || l.sql[at-1] == '.') ||
		end < len(l.sql) && isWordPart(l.sql[end])
	if beside {
		// Bound in place it would become another name or number: a$1, $12.
		l.refuse(at, "%s stands directly beside a name, a number or another placeholder: it is a value of its own, so put a space or an operator between them (the names of tables and columns cannot be bound).", l.sql[at:end])
	}
}
