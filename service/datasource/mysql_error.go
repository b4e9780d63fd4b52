// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"regexp"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// mysqlError is an error of the server with its number, which can be told to others
// than the owner of the API: it quotes nothing.
type mysqlError struct{ *mysql.MySQLError }

// MySQLNumber returns the number of the error, such as 1690.
func (e *mysqlError) MySQLNumber() int { return int(e.Number) }

// Unwrap returns what the driver said.
func (e *mysqlError) Unwrap() error { return e.MySQLError }

// mysqlFailure says what kind of failure an error of the server is.
func mysqlFailure(ctx context.Context, p *Plan, refused *mysql.MySQLError) *Error {
	e := &mysqlError{refused}
	switch {
	case ctx.Err() != nil:
		return &Error{Kind: Timeout, Err: e}
	case mysqlLost(e.Number):
		return &Error{Kind: Unavailable, Err: e}
	}
	switch e.Number {
	case 3024, 1969, // the statement's time is over, on MySQL and on MariaDB
		1317, // interrupted
		1205: // waited too long for a lock
		return &Error{Kind: Timeout, Err: e}
	case 1040, 1203, 1226, // no connection is left
		1021, 1037, 1038, 1041, 1135, // no disk, memory or thread is left
		1213: // a deadlock
		return &Error{Kind: Unavailable, Err: e}
	case 1292, 1525, 1366, 1367, 1264, 1406, 1411, // no value of the type, or out of its range
		1210,             // no arguments for EXECUTE: a negative LIMIT
		1139, 3685, 3692, // no regular expression
		1153,                               // larger than the server takes
		3140, 3141, 3143, 3146, 3147, 3154, // no JSON, or no path in it
		4037, 4038, 4042: // the same on MariaDB
		if len(p.parameters) > 0 {
			return &Error{Kind: BadValue, Parameter: onlyParameter(p), Err: e}
		}
	}
	return &Error{Kind: Failed, Err: e}
}

// mysqlLost reports whether the error is the last thing that the session hears.
func mysqlLost(number uint16) bool {
	switch number {
	case 1053, 1077, 1079, 1080, // the server stops
		1152, 1153, 1158, 1159, 1160, 1161, 1184, // the connection broke
		1461,             // no more prepared statements: it gives back its own
		1927, 3169, 4031, // the session was killed, or was idle for too long
		2006, 2013:
		return true
	}
	return false
}

// mysqlOutdated reports whether the server does not run a prepared statement any more.
func mysqlOutdated(number uint16) bool { return number == 1615 || number == 1243 }

// mayLockMySQL reports whether the text may take a lock that outlives its statement,
// or keep a value that another call can ask for: by GET_LOCK or LAST_INSERT_ID, which
// have no other spelling.
func mayLockMySQL(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "get_lock") || strings.Contains(text, "last_insert_id")
}

// mysqlMessage is what the server says, without the words that every such sentence has.
func mysqlMessage(e *mysql.MySQLError) string {
	message := atLine.ReplaceAllString(strings.TrimSuffix(e.Message, "."), "")
	if from := strings.Index(message, "; check the manual"); from >= 0 {
		if near := strings.Index(message[from:], " near "); near >= 0 {
			message = message[:from] + message[from+near:]
		}
	}
	return message
}

var (
	// The line is one of the text that was sent, which has no comments any more.
	atLine     = regexp.MustCompile(` at line \d+$`)
	nearText   = regexp.MustCompile(`(?s) near '(.*)' at line \d+$`)
	quotedName = regexp.MustCompile(`'([^']+)'`)
)

// mysqlOffset finds the byte of the text that an error is about: where the server
// says what stands there, or which name it does not know, and the text has that once.
// It is -1 where that is not so.
func mysqlOffset(text string, e *mysql.MySQLError) int {
	if m := nearText.FindStringSubmatch(strings.TrimSuffix(e.Message, ".")); m != nil {
		near := strings.TrimSuffix(m[1], "...")
		if near == "" {
			return len(text)
		}
		return onlyIndex(text, near, false)
	}
	switch e.Number {
	case 1054, 1052, 1146, 1305, 1327, 1630, 1109: // names that are not known, or ambiguous
		if m := quotedName.FindStringSubmatch(e.Message); m != nil {
			name := m[1]
			if at := onlyIndex(text, name, true); at >= 0 {
				return at
			}
			return onlyIndex(text, name[strings.LastIndexByte(name, '.')+1:], true)
		}
		if e.Number == 1305 || e.Number == 1630 {
			// FUNCTION database.name does not exist
			if words := strings.Fields(e.Message); len(words) > 1 {
				return onlyIndex(text, words[1][strings.LastIndexByte(words[1], '.')+1:], true)
			}
		}
	}
	return -1
}

// onlyIndex returns where the part is in the text, as a word of its own if told so;
// -1 where it is not, or more than once.
func onlyIndex(text, part string, word bool) int {
	found := -1
	for from := 0; ; {
		i := strings.Index(text[from:], part)
		if i < 0 {
			return found
		}
		i += from
		from = i + 1
		end := i + len(part)
		if word && (i > 0 && inName(text[i-1]) || end < len(text) && inName(text[end])) {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = i
	}
}

func inName(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
