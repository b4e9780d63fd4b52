// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package query turns the definition of an API into one bound statement per
// engine. It is pure: it does no I/O and imports the domain only, so that the
// provider can check a script while it plans.
//
// # Placeholders
//
// `${name}` in a script stands for the value of the request parameter `name`. The
// value is bound by the engine and never becomes part of the statement's text, so
// a placeholder stands where a value can stand, and nowhere else:
//
//   - not inside a string ('%${name}%'): take the quotes away, and join texts with
//     the operator || ('%' || ${name} || '%');
//   - not inside a quoted identifier and not beside a name (orders_${year}):
//     tables and columns cannot be bound;
//   - inside a comment it is ignored, so that a condition can be commented out. It
//     does not count as a use of the parameter.
//
// PostgreSQL gets a `$n` for each occurrence, so that the type of each is inferred
// where it stands; SQLite gets one `?n` per parameter.
//
// # Lists
//
// A parameter of a LIST type stands alone between the parentheses of IN or NOT IN:
//
//	WHERE id IN (${ids}) AND status NOT IN (${hidden})
//
// On PostgreSQL this becomes `= ANY($1)` and `<> ALL($2)`, on SQLite
// `IN (SELECT value FROM json_each(…))`. An empty list matches nothing (and NOT IN
// everything); a list that was not given is NULL, which makes both conditions NULL.
// As PostgreSQL's comparisons do not associate, a condition that is compared itself
// needs parentheses: `hidden = (id IN (${ids}))`, not `hidden = id IN (${ids})`.
// Everywhere else a list is an array on PostgreSQL (`tags && ${tags}`) and the text
// of a JSON array on SQLite (`FROM json_each(${ids})`).
//
// # Scripts
//
// A script is one statement that returns rows: it starts with SELECT, WITH or
// VALUES, and may end with one semicolon. Comments are not sent to the database.
// Bind markers of the engines (?, :name, @name, $1) are refused, since nothing
// would fill them.
package query
