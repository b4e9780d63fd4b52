// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package completion writes scripts with which shells complete a command line. They are
// made from the model that the command line is parsed by, hold everything that they
// propose, and call no service.
package completion

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Shells are those that there is a script for, by name.
var Shells = map[string]func(*kong.Application) (string, error){"bash": bash, "zsh": zsh, "fish": fish}

// command is what can follow on the words of a path.
type command struct {
	path  string // such as "publications list"
	subs  []entry
	flags []flag
	// words are what a positional argument may be, and files says that it is a file.
	words []string
	files bool
}

type entry struct{ name, help string }

type flag struct {
	long, short string
	help        string
	// takes says that a value follows: one of the words, or a file, or what cannot be proposed.
	takes bool
	words []string
	files bool
}

// commands returns every command with those above it first. A flag must take a value
// everywhere or nowhere, since the scripts skip values before they know the command.
func commands(app *kong.Application) ([]command, error) {
	var all []command
	takes := map[string]bool{}
	var visit func(path string, node *kong.Node) error
	visit = func(path string, node *kong.Node) error {
		c := command{path: path}
		for _, child := range node.Children {
			if !child.Hidden {
				c.subs = append(c.subs, entry{child.Name, sentence(child.Help)})
			}
		}
		for _, p := range node.Positional {
			c.words = append(c.words, words(p)...)
			c.files = c.files || p.Name == "file"
		}
		for _, group := range node.AllFlags(true) {
			for _, f := range group {
				made := flag{long: "--" + f.Name, help: sentence(f.Help), takes: !f.IsBool() && !f.IsCounter(), words: words(f.Value)}
				if f.Short != 0 {
					made.short = "-" + string(f.Short)
				}
				made.files = strings.HasSuffix(f.Name, "file") || strings.HasSuffix(f.Name, "-dir") || f.PlaceHolder == "FILE"
				for _, name := range []string{made.long, made.short} {
					if before, known := takes[name]; known && name != "" && before != made.takes {
						return fmt.Errorf("%s takes a value in one command and none in another", name)
					}
					takes[name] = made.takes
				}
				c.flags = append(c.flags, made)
			}
		}
		all = append(all, c)
		for _, child := range node.Children {
			if child.Hidden {
				continue
			}
			if err := visit(strings.TrimSpace(path+" "+child.Name), child); err != nil {
				return err
			}
		}
		return nil
	}
	err := visit("", app.Node)
	return all, err
}

// words are what a value may be, where that is enumerated.
func words(v *kong.Value) []string {
	if c, ok := v.Target.Interface().(interface{ Choices() []string }); ok {
		return c.Choices()
	}
	var all []string
	for word := range strings.SplitSeq(v.Enum, ",") {
		if word = strings.TrimSpace(word); word != "" {
			all = append(all, word)
		}
	}
	return all
}

// sentence is the first one of a help text.
func sentence(help string) string {
	first, _, _ := strings.Cut(help, ". ")
	return strings.TrimSuffix(strings.Join(strings.Fields(first), " "), ".")
}

// valued are the flags, long and short, that a value follows.
func valued(all []command) []string {
	var names []string
	for _, c := range all {
		for _, f := range c.flags {
			for _, name := range []string{f.long, f.short} {
				if f.takes && name != "" && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	slices.Sort(names)
	return names
}

// quote makes a text one word of a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// pattern is what a case of bash and zsh matches: a flag of a command, by both of its names.
func pattern(c command, f flag) string {
	names := quote(strings.TrimSpace(c.path + " " + f.long))
	if f.short != "" {
		names += "|" + quote(strings.TrimSpace(c.path+" "+f.short))
	}
	return names
}
