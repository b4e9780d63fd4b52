// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package query

import (
	"slices"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// ScriptParameters returns the names of the request parameters that a script uses, in the
// order of their first use. Those of MyBatis are found in placeholders, tests, binds and
// collections; names that its tags declare are none.
//
// The engine is not known: a basic script is read as the first one reads it for which
// nothing is wrong. The error is a [service.Error] with CodeInvalid for a script that none
// of them can read. Whether it is one query, and what its types are, is for [Compile].
func ScriptParameters(sql string, mode service.SQLMode) ([]string, error) {
	var v service.Invalid
	if len(sql) > service.MaxScriptLength {
		v.Addf(pointerSQL, "The SQL has %d bytes; %d is the most.", len(sql), service.MaxScriptLength)
		return nil, v.Err("The script")
	}
	read := basicParameters
	if mode == service.SQLMyBatis {
		read = myBatisParameters
	}
	names, problems := read(sql)
	for _, p := range problems {
		v.Addf(pointerSQL, "%s (%s)", p.message, Position(sql, p.at))
	}
	return names, v.Err("The script")
}

func basicParameters(sql string) ([]string, []problem) {
	var first []problem
	for i, engine := range service.Engines {
		tokens, problems := scan(sql, engine, nil, false)
		if len(problems) > 0 {
			if i == 0 || len(problems) < len(first) {
				first = problems
			}
			continue
		}
		names := []string{}
		for _, t := range tokens {
			if t.kind == kindPlaceholder && !slices.Contains(names, t.name) {
				names = append(names, t.name)
			}
		}
		return names, nil
	}
	return nil, first
}

func myBatisParameters(source string) ([]string, []problem) {
	m := &myBatis{source: source, open: true, met: []string{}}
	elements, problems := parseXML(source)
	if len(problems) > 0 {
		return nil, problems
	}
	m.compile(elements, nil)
	return m.met, m.problems
}
