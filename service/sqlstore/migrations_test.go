// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// allowed are the statements of migrations that the rule below would refuse, with the reason
// why a program of the release before goes on all the same. Those of versions up to
// rollingSince are not listed: no program before it runs beside a newer one.
var allowed = map[string]string{
	"CREATE UNIQUE INDEX key_checks_in_use ON key_checks (state) WHERE state = 'IN_USE'": "the program before adds a row in a store alone that has none",
}

// rollingSince is the first version whose program may run while a newer one brings the
// schema up to date.
const rollingSince = 14

var (
	comment    = regexp.MustCompile(`(?m)--.*$`)
	spaces     = regexp.MustCompile(`\s+`)
	madeTable  = regexp.MustCompile(`(?i)^CREATE TABLE (\w+)`)
	uniqueOn   = regexp.MustCompile(`(?i)^CREATE UNIQUE INDEX \w+ ON (\w+)`)
	addsColumn = regexp.MustCompile(`(?i)\bADD (COLUMN )?\w+ `)
)

// breaks says why the program of the release before would not go on where the statement was
// run under it; "" where it does. made are the tables that the same migration makes.
func breaks(statement string, made []string) string {
	upper := strings.ToUpper(statement)
	has := func(words string) bool { return regexp.MustCompile(`\b` + words + `\b`).MatchString(upper) }
	switch {
	case has("DROP (TABLE|COLUMN|VIEW|SCHEMA)"):
		return "it takes away what older statements name"
	case has("RENAME"):
		return "it renames what older statements name"
	case has("DROP DEFAULT"), has("SET NOT NULL"), has("ALTER COLUMN"), has(`ALTER \w+ (SET DATA )?TYPE`):
		return "it changes a column that older statements fill"
	case has("ADD CONSTRAINT"), has("ADD (CHECK|UNIQUE|FOREIGN KEY|PRIMARY KEY)"), has("CREATE (OR REPLACE )?TRIGGER"), has("CREATE (OR REPLACE )?RULE"):
		return "it may refuse what older statements write"
	case has("ALTER TABLE") && addsColumn.MatchString(statement) && has("NOT NULL") && !has("DEFAULT"):
		return "older statements leave the column out, and it has no default"
	case has("^DELETE FROM"), has("^TRUNCATE"):
		return "it removes records"
	case has("^UPDATE") && !has("^UPDATE COUNTERS"):
		return "it changes records that the older program may change at the same time"
	}
	if on := uniqueOn.FindStringSubmatch(statement); on != nil && !slices.Contains(made, on[1]) {
		return "it may refuse what older statements write"
	}
	return ""
}

// statementsOf splits a migration.
func statementsOf(text string) (list []string) {
	for s := range strings.SplitSeq(comment.ReplaceAllString(text, ""), ";") {
		if s = strings.TrimSpace(spaces.ReplaceAllString(s, " ")); s != "" {
			list = append(list, s)
		}
	}
	return list
}

// A newer program brings the schema up to date while older ones run: it may add to it, and
// nothing else. What is to go is left for the release after the one that does not use it any
// more, and is allowed then by name.
func TestMigrationsLetTheProgramBeforeGoOn(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("migrations/*.sql") // in order
	if err != nil || len(files) < rollingSince {
		t.Fatalf("there are %d migrations, %v", len(files), err)
	}
	used := 0
	for _, file := range files[rollingSince:] {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var made []string
		for _, s := range statementsOf(string(text)) {
			if table := madeTable.FindStringSubmatch(s); table != nil {
				made = append(made, table[1])
			}
			why := breaks(s, made)
			if _, found := allowed[s]; found && why != "" {
				used++
			} else if why != "" {
				t.Errorf("%s: %s\n%s: a program of the release before may be running. Add to the schema alone, or say in this test why it goes on", file, s, why)
			}
		}
	}
	if used != len(allowed) {
		t.Errorf("%d of %d statements that are allowed by name are in a migration", used, len(allowed))
	}
}

func TestWhatBreaksTheProgramBeforeIsFound(t *testing.T) {
	t.Parallel()
	for _, s := range statementsOf(`
		DROP TABLE apis; alter table apis drop column name; ALTER TABLE apis RENAME TO services; ALTER TABLE apis RENAME COLUMN name TO title;
		ALTER TABLE apis ADD COLUMN title TEXT NOT NULL; ALTER TABLE apis ADD title TEXT NOT NULL; ALTER TABLE apis ALTER COLUMN name TYPE VARCHAR(10);
		ALTER TABLE apis ALTER COLUMN name SET NOT NULL; ALTER TABLE apis ADD CONSTRAINT c CHECK (name <> ''); ALTER TABLE apis ADD UNIQUE (name);
		CREATE UNIQUE INDEX i ON apis (name); CREATE TRIGGER x BEFORE INSERT ON apis; DELETE FROM apis; TRUNCATE apis; UPDATE apis SET name = ''`) {
		if breaks(s, nil) == "" {
			t.Errorf("it is let through: %s", s)
		}
	}
	for _, s := range statementsOf(`
		-- RENAME and DROP TABLE in a comment
		CREATE TABLE made (id TEXT NOT NULL PRIMARY KEY, renamed TEXT); CREATE UNIQUE INDEX i ON made (id); CREATE INDEX j ON apis (name);
		ALTER TABLE apis ADD COLUMN title TEXT; ALTER TABLE apis ADD COLUMN title TEXT NOT NULL DEFAULT ''; INSERT INTO counters (kind, next) VALUES ('x', 1)`) {
		if why := breaks(s, []string{"made"}); why != "" {
			t.Errorf("it is refused, since %s: %s", why, s)
		}
	}
}
