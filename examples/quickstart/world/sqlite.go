// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/text/currency"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// cldrVersion is the version of the Unicode tables that the data comes from.
const cldrVersion = currency.CLDRVersion

//go:embed schema.sql
var schema string

// write makes the database. It is written beside its place and moved there at the
// end, so that a service that reads the file sees the old one or the new one, whole.
func (w world) write(ctx context.Context, path string) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // the data is public
		return err
	}
	part := path + ".part"
	if err := os.Remove(part); err != nil && !os.IsNotExist(err) {
		return err
	}
	db, err := sql.Open("sqlite", part)
	if err != nil {
		return err
	}
	defer func() {
		if closed := db.Close(); err == nil {
			err = closed
		}
		if err == nil {
			err = os.Rename(part, path)
		}
		if err != nil {
			_ = os.Remove(part)
		}
	}()
	db.SetMaxOpenConns(1)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return err
	}
	for _, t := range w.tables() {
		if err := insert(ctx, tx, t); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	return tx.Commit()
}

// table is one table's rows, each with a value per column.
type table struct {
	name    string
	columns int
	rows    [][]any
}

func (w world) tables() []table {
	about := table{name: "about", columns: 2, rows: [][]any{
		{"cldr_version", cldrVersion},
		{"currencies_as_of", asOf.Format("2006-01-02")},
	}}
	regions := table{name: "regions", columns: 6}
	for _, r := range w.regions {
		regions.rows = append(regions.rows, []any{r.code, r.code3, r.m49, r.name, null(r.continent), null(r.subregion)})
	}
	groups := table{name: "region_groups", columns: 2}
	members := table{name: "region_group_members", columns: 2}
	for _, g := range w.groups {
		groups.rows = append(groups.rows, []any{g.m49, g.name})
		for _, r := range g.regions {
			members.rows = append(members.rows, []any{g.m49, r.code})
		}
	}
	languages := table{name: "languages", columns: 5}
	for _, l := range w.languages {
		languages.rows = append(languages.rows, []any{l.code, l.code3, l.name, null(l.nativeName), null(l.script)})
	}
	currencies := table{name: "currencies", columns: 4}
	for _, c := range w.currencies {
		currencies.rows = append(currencies.rows, []any{c.code, c.symbol, c.narrowSymbol, c.digits})
	}
	tenders := table{name: "region_currencies", columns: 3}
	for _, t := range w.tenders {
		tenders.rows = append(tenders.rows, []any{t.region, t.currency, null(t.since)})
	}
	spoken := table{name: "region_languages", columns: 2}
	for _, s := range w.spoken {
		spoken.rows = append(spoken.rows, []any{s.region, s.language})
	}
	return []table{about, regions, groups, members, languages, currencies, tenders, spoken}
}

func insert(ctx context.Context, tx *sql.Tx, t table) error {
	values := "?"
	for range t.columns - 1 {
		values += ", ?"
	}
	statement, err := tx.PrepareContext(ctx, "INSERT INTO "+t.name+" VALUES ("+values+")") //nolint:gosec // names from this file
	if err != nil {
		return err
	}
	defer statement.Close()
	for _, row := range t.rows {
		if _, err := statement.ExecContext(ctx, row...); err != nil {
			return fmt.Errorf("row %v: %w", row, err)
		}
	}
	return nil
}

func null(text string) any {
	if text == "" {
		return nil
	}
	return text
}
