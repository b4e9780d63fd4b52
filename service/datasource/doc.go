// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package datasource reads from the users' databases: it keeps a bounded pool per
// connection, prepares queries, runs them read-only and turns their rows into JSON.
//
// # What every call is
//
// One call runs one statement (two where it is paged and has a total: the total and the
// page, on one snapshot) that can read and nothing else, and leaves nothing behind that the next
// call on the same session would notice:
//
//   - SQLite files are opened read-only, with query_only, without ATTACH, without
//     trust in functions that the file's schema names, and only below --sqlite-dir.
//     Where that directory is, a script does not learn.
//   - On PostgreSQL each call is one round trip in a READ ONLY transaction of its own,
//     which is rolled back, and with it what a script sets, even for the session. The
//     rollback comes with the next call (ROLLBACK AND CHAIN spares it the BEGIN), or as
//     soon as the session has been idle for a moment, a twentieth to a tenth of a second: until then
//     pg_stat_activity shows it "idle in transaction" with the locks of a reader, which
//     a change of the table waits for, and without a snapshot, so that VACUUM waits for
//     nothing. A script can make its own transaction writable on PostgreSQL 15
//     and older, with set_config(…, NULL, …); what it then writes is rolled back, and
//     since each call ends with a look at the transaction, no other call inherits it.
//     A sequence that it moves stays moved: whoever lets a role use sequences and
//     set_config should know.
//     A session's advisory locks, which a rollback leaves, are given back: by the same
//     call where the script may name them, within moments where a view or a function
//     hides them.
//   - BEGIN and ROLLBACK are sent with every call and have no name at the server, so
//     that nothing can be put in their place. The scripts' own prepared statements
//     have names that cannot be guessed; a function that runs SQL which it puts
//     together can nevertheless find them in pg_prepared_statements, and with PREPARE
//     make another API of the same connection answer something else on that session.
//     It cannot make it write. Who may create such functions in the database, or whose
//     functions scripts may call, is for the database's grants to say.
//   - What outlives a rollback and is not undone: the seed of random() that setseed sets,
//     what pg_logical_emit_message writes to the log without a transaction (the role needs
//     no right for it), prepared statements (above), and what extensions and procedural
//     languages keep for a session, such as dblink's connections and plperl's %_SHARED.
//     Every role may end its own other sessions with pg_terminate_backend: a script can so
//     make calls of the same connection fail, unless the database revokes that function.
//   - MySQL and MariaDB take statement by statement and no round trip of three, so a
//     session is always in a transaction that START TRANSACTION READ ONLY began. A
//     SELECT cannot leave it or make it writable, nor can a function that it calls:
//     the server refuses them to commit, to change tables, also temporary ones, and
//     to change the transaction, while what they set for the session holds from the
//     next transaction on. So that nobody waits for long who changes a table that was
//     read, and that nothing else stays, a session is renewed: it sets anew what
//     functions can have set, gives back the locks of GET_LOCK and begins the next
//     transaction, saying READ ONLY again. That happens with the next call where the
//     transaction is older than 100 ms, that much later where there is no call, after
//     each error (a deadlock ends the transaction), and at once where the script names
//     GET_LOCK or LAST_INSERT_ID. A page with its total has a transaction of its own,
//     WITH CONSISTENT SNAPSHOT.
//   - Until then, 100 ms at most, calls on the same session notice what a function of
//     the database sets for it, such as another time zone. User variables that a
//     function sets, a role that it takes on, FOUND_ROWS and ROW_COUNT are not undone;
//     scripts themselves name no variables. No read-only transaction keeps a function
//     that was made with its definer's rights from SELECT … INTO OUTFILE, where the
//     definer has FILE: who may create functions is for the database's grants to say.
//
// Roles and users that are more than readers are refused unless the connection allows
// them: superusers, and who reaches files, other sessions or the server itself. On MySQL
// and MariaDB those are all rights on *.* that are not about tables, of the user and of
// every role that it has or can take on.
//
// The context's end becomes an interrupt (SQLite), a cancel request (PostgreSQL) or,
// sent by another session, KILL (MySQL and MariaDB).
//
// MySQL and MariaDB are one engine: which one a server is it tells itself, and what
// differs is the names of settings. It is tested with MariaDB 10.11, which stands for
// MySQL too; the least versions are MariaDB 10.5.2 and MySQL 5.7.20.
//
// # Which statement a call runs
//
// A [Plan] has a query, of which the values of a call choose the shape (see package query).
// Where there is but one, that is decided when the plan is made. Else the plan remembers
// the 128 shapes that were used last, and each session the statements that it prepared for
// them, bounded as well. Validating a definition prepares up to 64 of its shapes, such as
// calls can lead to, and looks up the table and columns that a wizard names.
//
// # How values become JSON
//
// A column is answered as the type that its response parameter declares. NULL is
// null for every type. What does not convert is an [Error] with NotAnswerable that
// names the parameter; nothing is rounded or cut.
//
//   - STRING takes every column. Numbers keep their digits, booleans are "true" and
//     "false". PostgreSQL's timestamps are RFC 3339 in UTC (one without a time zone is
//     taken as UTC), intervals ISO 8601, bytea and SQLite's BLOBs Base64, json and
//     arrays their text. SQLite has no type for times: what is stored is answered.
//     MySQL's DATETIME and TIMESTAMP are RFC 3339 in UTC; one with a month or day of 00
//     stays as it is. DATE, TIME, ENUM, SET and JSON are their text, YEAR and BIT whole
//     numbers, BINARY, BLOB and GEOMETRY Base64. A boolean is a TINYINT there: "1", "0".
//   - INT and LONG take whole numbers within 32 and 64 bits, from columns of any
//     number type and from text that is one.
//   - FLOAT and DOUBLE take numbers; digits of a numeric or DECIMAL column pass through
//     exactly, as do those of a BIGINT UNSIGNED that is no LONG any more.
//     NaN and infinities, which JSON does not have, do not convert.
//   - BOOLEAN takes booleans, the numbers 0 and 1 and the texts true, false, t, f, 1, 0.
//   - A LIST takes a one-dimensional array on PostgreSQL, and a text or json column
//     that holds a JSON array on every engine.
//
// # How parameters reach the database
//
// Values are bound. On PostgreSQL they travel as text, so that the type which the
// server infers where the placeholder stands decides how they are read: a STRING
// parameter may be compared with a date or a uuid column. On SQLite they are bound
// as text, integer or real, and the column's affinity applies. On MySQL they are bound
// as text, BIGINT or DOUBLE, a BOOLEAN as 1 or 0; the server converts where types differ,
// and compares what does not convert, such as 'x' with a number, as 0. A list that is no
// list of IN is a JSON text.
package datasource
