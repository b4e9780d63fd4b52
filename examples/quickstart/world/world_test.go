// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
)

func TestTheDatabaseAnswersWhatEverybodyKnows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "databases", "world.db")
	if err := newWorld().write(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	for _, question := range []struct{ name, query, want string }{
		{"ISO 3166-1 has 249 codes", `SELECT count(*) FROM regions`, "249"},
		{"ISO 639-1 has some 180 codes", `SELECT count(*) BETWEEN 175 AND 190 FROM languages WHERE length(code) = 2`, "1"},
		{"ISO 4217 has some 155 currencies in use", `SELECT count(*) BETWEEN 150 AND 165 FROM currencies`, "1"},
		{"every country lies in the world", `SELECT count(*) FROM region_group_members WHERE group_m49 = 1`, "249"},
		{"every country lies on one continent", `SELECT count(DISTINCT continent) FROM regions`, "5"},
		{"a country has its three codes", `SELECT code || code3 || m49 FROM regions WHERE name = 'Switzerland'`, "CHCHE756"},
		{"containment is transitive", `SELECT group_concat(g.name, ', ' ORDER BY g.m49) FROM region_groups g JOIN region_group_members ON group_m49 = g.m49 WHERE region_code = 'CH'`, "World, Europe, Western Europe"},
		{"Switzerland pays in francs", `SELECT group_concat(currency_code) FROM region_currencies WHERE region_code = 'CH'`, "CHF"},
		{"Panama pays in two currencies", `SELECT group_concat(currency_code, ', ' ORDER BY currency_code) FROM region_currencies WHERE region_code = 'PA'`, "PAB, USD"},
		{"Germany paid in marks once and does no more", `SELECT count(*) FROM currencies WHERE code = 'DEM'`, "0"},
		{"a yen has no fraction", `SELECT digits FROM currencies WHERE code = 'JPY'`, "0"},
		{"Switzerland has more than one language", `SELECT count(*) > 1 FROM region_languages WHERE region_code = 'CH'`, "1"},
		{"a language knows its own name", `SELECT native_name FROM languages WHERE code = 'el'`, "Ελληνικά"},
		{"no language is listed twice", `SELECT count(*) - count(DISTINCT name) FROM languages`, "0"},
		{"withdrawn countries are left out", `SELECT count(*) FROM regions WHERE code IN ('DD', 'SU', 'YU', 'AN', 'UK', 'EU', 'ZZ')`, "0"},
		{"references lead somewhere", `SELECT count(*) FROM pragma_foreign_key_check`, "0"},
	} {
		t.Run(question.name, func(t *testing.T) {
			var got string
			if err := db.QueryRowContext(t.Context(), question.query).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != question.want {
				t.Errorf("got %q, want %q", got, question.want)
			}
		})
	}
}

func TestTheDatabaseIsTheSameEachTime(t *testing.T) {
	dir := t.TempDir()
	var files [2][]byte
	for i := range files {
		path := filepath.Join(dir, "world.db")
		if err := newWorld().write(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		var err error
		if files[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("two runs wrote different files")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v (error %v), want the database alone", left, err)
	}
}

func TestAFailureLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, "world.db")
	if err := os.MkdirAll(filepath.Join(blocked, "inside"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := newWorld().write(t.Context(), blocked); err == nil {
		t.Fatal("a folder was replaced by a database")
	}
	if _, err := os.Stat(blocked + ".part"); !os.IsNotExist(err) {
		t.Errorf("the unfinished file is still there: %v", err)
	}
}
