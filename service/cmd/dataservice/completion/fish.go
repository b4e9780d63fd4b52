// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package completion

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// fish returns the script for fish.
func fish(app *kong.Application) (string, error) {
	all, err := commands(app)
	if err != nil {
		return "", err
	}
	var paths []string
	var rules strings.Builder
	for _, c := range all {
		if c.path != "" {
			paths = append(paths, fishQuote(c.path))
		}
		rule := "complete -c dataservice -n " + fishQuote("__dataservice_at "+fishQuote(c.path))
		for _, s := range c.subs {
			fmt.Fprintf(&rules, "%s -a %s -d %s\n", rule, fishQuote(s.name), fishQuote(s.help))
		}
		if len(c.words) > 0 {
			fmt.Fprintf(&rules, "%s -a %s\n", rule, fishQuote(strings.Join(c.words, " ")))
		}
		if c.files {
			fmt.Fprintf(&rules, "%s -F\n", rule)
		}
		for _, f := range c.flags {
			option := " -l " + strings.TrimPrefix(f.long, "--")
			if f.short != "" {
				option += " -s " + strings.TrimPrefix(f.short, "-")
			}
			switch {
			case len(f.words) > 0:
				option += " -x -a " + fishQuote(strings.Join(f.words, " "))
			case f.files:
				option += " -r -F"
			case f.takes:
				option += " -x"
			}
			fmt.Fprintf(&rules, "%s%s -d %s\n", rule, option, fishQuote(f.help))
		}
	}
	//nolint:dupword // a script is no prose
	return fmt.Sprintf(`# Completion of dataservice for fish. Made by: dataservice completion fish

function __dataservice_at
    set -l paths %s
    set -l valued %s
    set -l at ''
    set -l pending ''
    set -l typed (commandline -opc)
    for word in $typed[2..-1]
        if test -n "$pending"
            set pending ''
        else if string match -q -- '-*=*' "$word"
            continue
        else if string match -q -- '-*' "$word"
            contains -- "$word" $valued; and set pending "$word"
        else
            set -l further (string trim -- "$at $word")
            contains -- "$further" $paths; and set at "$further"
        end
    end
    test "$at" = "$argv[1]"
end

complete -c dataservice -f
%s`, strings.Join(paths, " "), strings.Join(valued(all), " "), rules.String()), nil
}

// fishQuote makes a text one word of fish, in which a backslash quotes within quotes.
func fishQuote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
