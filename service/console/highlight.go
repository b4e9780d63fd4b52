// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"strings"

	"github.com/alecthomas/chroma/v2"
)

// token is a piece of a text with the class that says what it is. A page writes both as
// text: nothing of what somebody entered is markup.
type token struct{ Class, Text string }

// maxHighlighted is the longest text that is coloured, in bytes.
const maxHighlighted = 16 << 10

// sqlLines splits SQL into lines of tokens.
func sqlLines(sql string) [][]token {
	sql = strings.ReplaceAll(sql, "\r\n", "\n")
	if len(sql) > maxHighlighted {
		return plainLines(sql)
	}
	it, err := sqlLexer.Tokenise(&chroma.TokeniseOptions{State: "root"}, sql)
	if err != nil {
		return plainLines(sql)
	}
	var lines [][]token
	var whole strings.Builder
	for _, line := range chroma.SplitTokensIntoLines(it.Tokens()) {
		tokens := []token{}
		for _, t := range line {
			whole.WriteString(t.Value)
			if text := strings.TrimSuffix(t.Value, "\n"); text != "" {
				tokens = append(tokens, token{chroma.StandardTypes[t.Type], text})
			}
		}
		lines = append(lines, tokens)
	}
	if whole.String() != sql {
		return plainLines(sql) // Colours are not worth a character.
	}
	return lines
}

// plainLines splits a text into lines of one token each.
func plainLines(text string) [][]token {
	var lines [][]token
	for line := range strings.Lines(text) {
		lines = append(lines, []token{{Text: strings.TrimSuffix(line, "\n")}})
	}
	return lines
}

// sqlLexer tells apart what a script is made of: SQL, placeholders and the tags of MyBatis.
// Those of chroma take placeholders for mistakes, and reading all of its languages takes a
// tenth of a second of every start of the program.
var sqlLexer = chroma.MustNewLexer(&chroma.Config{Name: "SQL of an API", CaseInsensitive: true, DotAll: true}, func() chroma.Rules {
	return chroma.Rules{"root": {
		{Pattern: `\s+`, Type: chroma.TextWhitespace},
		{Pattern: `--[^\n]*`, Type: chroma.CommentSingle},
		{Pattern: `/\*.*?\*/|<!--.*?-->`, Type: chroma.CommentMultiline},
		{Pattern: `[$#]\{[^}\n]*\}`, Type: chroma.NameVariable},
		{Pattern: `</?(?:if|choose|when|otherwise|where|trim|foreach|bind|set)\b(?:"[^"]*"|'[^']*'|[^>"'])*>`, Type: chroma.NameTag},
		{Pattern: `'(?:[^']|'')*'`, Type: chroma.LiteralString},
		{Pattern: "\"(?:[^\"]|\"\")*\"|`[^`]*`", Type: chroma.Name},
		{Pattern: `\b\d+(?:\.\d+)?\b`, Type: chroma.LiteralNumber},
		{Pattern: chroma.Words(`\b`, `\b`,
			"ALL", "AND", "ANY", "AS", "ASC", "BETWEEN", "BY", "CASE", "CAST", "COLLATE", "CROSS", "CURRENT_DATE", "CURRENT_TIMESTAMP", "DESC", "DISTINCT", "ELSE", "END", "ESCAPE",
			"EXCEPT", "EXISTS", "FALSE", "FETCH", "FILTER", "FIRST", "FROM", "FULL", "GROUP", "HAVING", "ILIKE", "IN", "INNER", "INTERSECT", "IS", "JOIN", "LAST", "LATERAL", "LEFT", "LIKE",
			"LIMIT", "NATURAL", "NEXT", "NOT", "NULL", "NULLS", "OFFSET", "ON", "ONLY", "OR", "ORDER", "OUTER", "OVER", "PARTITION", "RECURSIVE", "RIGHT", "ROW", "ROWS", "SELECT", "THEN",
			"TRUE", "UNION", "USING", "VALUES", "WHEN", "WHERE", "WINDOW", "WITH"), Type: chroma.Keyword},
		{Pattern: `\w+`, Type: chroma.Name},
		{Pattern: `.`, Type: chroma.Punctuation},
	}}
})
