// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package query compiles the definition of an API for an engine: a wizard, a basic script
// or a MyBatis script becomes a [Query], which takes one bound statement, a [Shape], for
// the values of a call. It is pure: it does no I/O and imports the domain only, beside a
// parser of expressions, so that the provider can check a definition while it plans.
//
// # Shapes
//
// A basic script has one shape, which is the same for every call ([Query.Fixed]). A wizard
// has one per set of parameters that are given, a MyBatis script one per way through its
// tags, and on MySQL, which has no arrays, lists in IN have one for each number of markers.
// [Query.Choose] tells cheaply which one a call takes, so that whoever runs them can keep
// those that it has met; [Query.Samples] has some to prepare before there is any call.
//
// # Placeholders
//
// `${name}` in a script stands for the value of the request parameter `name`. The
// value is bound by the engine and never becomes part of the statement's text, so
// a placeholder stands where a value can stand, and nowhere else:
//
//   - not inside a string ('%${name}%'): take the quotes away, and join texts with
//     the operator || ('%' || ${name} || '%'), or with CONCAT on MySQL;
//   - not inside a quoted identifier and not beside a name (orders_${year}):
//     tables and columns cannot be bound;
//   - inside a comment it is ignored, so that a condition can be commented out. It
//     does not count as a use of the parameter.
//
// PostgreSQL gets a `$n` for each occurrence, so that the type of each is inferred
// where it stands; MySQL a `?`; SQLite gets one `?n` per parameter.
//
// # Lists
//
// A parameter of a LIST type stands alone between the parentheses of IN or NOT IN:
//
//	WHERE id IN (${ids}) AND status NOT IN (${hidden})
//
// On PostgreSQL this becomes `= ANY($1)` and `<> ALL($2)`, on SQLite
// `IN (SELECT value FROM json_each(…))`, on MySQL `IN (?, ?, …)` with as many markers as
// the next power of two, of which the last ones repeat the last element. An empty list
// matches nothing (and NOT IN everything); a list that was not given is NULL, which makes
// both conditions NULL. As PostgreSQL's comparisons do not associate, a condition that is
// compared itself needs parentheses: `hidden = (id IN (${ids}))`, not
// `hidden = id IN (${ids})`. Everywhere else a list is an array on PostgreSQL
// (`tags && ${tags}`) and the text of a JSON array on SQLite and MySQL
// (`FROM json_each(${ids})`).
//
// # Scripts
//
// A script is one statement that returns rows: it starts with SELECT, WITH or
// VALUES, and may end with one semicolon. Comments are not sent to the database.
// Bind markers of the engines (?, :name, @name, $1) are refused, since nothing
// would fill them.
//
// MySQL's "…" is a string, as it is there unless the session says otherwise, and a
// backslash escapes in it. Comments that MySQL runs (/*! … */), variables (@a, @@a), INTO,
// FOR UPDATE, FOR SHARE and LOCK IN SHARE MODE are refused at any depth.
//
// # MyBatis
//
// The tags are if, choose, when, otherwise, where, trim, foreach and bind. What they make
// of a call's values is cut into tokens by the engine's own rules, just as a basic script
// is, with each placeholder as a token whose place is known. So nothing that a tag puts
// around it can turn a placeholder into text: where it would stand in a string or beside a
// name, there is no statement.
//
// Tests and bound values are parsed by expr-lang and evaluated here, with OGNL's ideas of
// null, truth and words. They cannot loop, and what they make is bounded. What fails
// because of the values (null > 5) is a [ValueError].
//
// # Wizards
//
// Names of tables and columns are always quoted, so that letters count as they are written.
// A dot in the table's name stands between schema and table, unless it stands in quotes.
package query
