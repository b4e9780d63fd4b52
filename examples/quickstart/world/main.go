// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Command world writes the quickstart's data into a SQLite file: every country and
// territory of ISO 3166-1, the languages and currencies that belong to them, and
// the M49 groups that they lie in, with English names. Everything comes from the
// Unicode CLDR tables that golang.org/x/text carries, so it needs no network.
//
//	go run ./examples/quickstart/world dataservice-data/databases/world.db
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 || os.Args[1] == "" || os.Args[1][0] == '-' {
		fmt.Fprintln(os.Stderr, "usage: world FILE\n\nWrites countries, languages and currencies into the new SQLite database FILE.")
		os.Exit(2)
	}
	path := os.Args[1]
	w := newWorld()
	if err := w.write(context.Background(), path); err != nil {
		fmt.Fprintf(os.Stderr, "world: cannot write %s: %v\n", path, err)
		os.Exit(1)
	}
	fmt.Printf("wrote %s: %d regions in %d groups, %d languages, %d currencies (CLDR %s)\n",
		path, len(w.regions), len(w.groups), len(w.languages), len(w.currencies), cldrVersion)
}
