// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// settings are what the program was told: by flags, by variables, by the file, and by nobody.
type settings struct {
	args []string
	line commandLine
	// context is what kong made of the arguments.
	context *kong.Context
	// file is the one that --config names; nil where there is none.
	file *configFile
	// values and sources have every flag of a command that takes a file, by its name.
	values  map[string]any
	sources map[string]source
}

// source is where the value of a setting comes from.
type source struct {
	// text says so to a person.
	text string
	// place is where a person changes it; "" for flags, which the message names.
	place string
	// line is that of the file; 0 for none.
	line int
}

// fromDefault is of what nobody has set.
var fromDefault = source{text: "default"}

// parse reads the arguments, and what they refer to. exited is from 0 on where all is said and done.
func parse(args []string, stdout, stderr io.Writer) (s *settings, exited int, err error) {
	s, exited = &settings{args: args}, -1
	resolver := &fileResolver{}
	parser, err := newParser(&s.line, stdout, stderr, kong.Exit(func(code int) { exited = code }), kong.Resolvers(resolver))
	if err != nil {
		return nil, exited, err
	}
	s.context, err = parser.Parse(args)
	if exited >= 0 {
		return s, exited, nil // --help or --version
	}
	s.file = resolver.file
	if len(resolver.problems) > 0 {
		return s, exited, resolver.problems
	}
	if err != nil {
		return s, exited, &usageError{err}
	}
	if node := s.context.Selected(); node != nil && takesFile(node) {
		s.note(node)
	}
	return s, exited, nil
}

// usageError is a command line that cannot be understood.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

func newParser(line *commandLine, stdout, stderr io.Writer, options ...kong.Option) (*kong.Kong, error) {
	return kong.New(line, append([]kong.Option{
		kong.Name("dataservice"),
		kong.Description("Governed SQL APIs: defined, reviewed, published and called.\n\nEach flag can be set by the environment variable behind its help text; the flag wins. Those of serve and gateway can stand in a file too (--config), over which both win."),
		kong.Vars{"version": versionText()},
		kong.Writers(stdout, stderr),
		kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 100, NoExpandSubcommands: true}),
	}, options...)...)
}

// configFlag is the name of the flag that names the file.
const configFlag = "config"

// takesFile reports whether the flags of the command can stand in the file.
func takesFile(n *kong.Node) bool {
	return n.Parent != nil && slices.Contains(commandsWithFile, n.Name)
}

var commandsWithFile = []string{"serve", "gateway"}

// isKey reports whether the flag can stand in the file.
func isKey(f *kong.Flag) bool { return f.Name != "help" && f.Name != configFlag }

// keysOf returns the flags of the commands that take a file, in the order of the help, and what
// each of the commands has of them.
func keysOf(model *kong.Application) (all []*kong.Flag, of map[string]map[string]*kong.Flag) {
	of = map[string]map[string]*kong.Flag{}
	seen := map[string]bool{}
	for _, n := range model.Children {
		if !takesFile(n) {
			continue
		}
		of[n.Name] = map[string]*kong.Flag{}
		for _, f := range n.Flags {
			if !isKey(f) {
				continue
			}
			of[n.Name][f.Name] = f
			if !seen[f.Name] {
				seen[f.Name] = true
				all = append(all, f)
			}
		}
	}
	return all, of
}

// note notes down what the command was told, and by whom.
func (s *settings) note(n *kong.Node) {
	given := map[*kong.Flag]bool{}
	for _, p := range s.context.Path {
		if p.Flag != nil && !p.Resolved {
			given[p.Flag] = true
		}
	}
	s.values, s.sources = map[string]any{}, map[string]source{}
	for _, f := range n.Flags {
		if f.Name == "help" {
			continue
		}
		s.values[f.Name], s.sources[f.Name] = clone(f.Target), fromDefault
		if variable := variableOf(f); given[f] {
			s.sources[f.Name] = source{text: "flag"}
		} else if variable != "" {
			s.sources[f.Name] = source{text: variable, place: variable}
		} else if v, ok := s.file.value(f.Name); ok {
			s.sources[f.Name] = source{text: v.place, place: v.place, line: v.line}
		}
	}
}

// clone copies a value, so that it stays what it was when the flags are checked. It is nil
// where it was left out.
func clone(v reflect.Value) any {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if v.Kind() == reflect.Slice {
		return reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v).Interface()
	}
	return v.Interface()
}

// variableOf returns the environment variable that sets the flag; "" where none does.
func variableOf(f *kong.Flag) string {
	for _, name := range f.Envs {
		if _, set := os.LookupEnv(name); set {
			return name
		}
	}
	return ""
}

// again reads the same arguments again, and what they refer to.
func (s *settings) again() (*settings, error) {
	next, _, err := parse(s.args, io.Discard, io.Discard)
	if err == nil {
		err = next.check()
	}
	return next, err
}

// gatewayFlags are those of the command, whichever it is.
func (s *settings) gatewayFlags() *gatewayFlags {
	if s.context.Selected().Name == "gateway" {
		return &s.line.Gateway.gatewayFlags
	}
	return &s.line.Serve.gatewayFlags
}

// check finds what cannot work, before anything is touched, and says all of it.
func (s *settings) check() error {
	if faults := s.place(s.findings()).faults(); len(faults) > 0 {
		return faults
	}
	return nil
}

func (s *settings) findings() findings {
	if s.context.Selected().Name == "gateway" {
		return s.line.Gateway.check()
	}
	return s.line.Serve.check()
}

// warn logs what is odd about the settings, and does not keep them from being used.
func (s *settings) warn(logger *slog.Logger) {
	for _, p := range append(s.fileWarnings(), s.place(s.oddities())...) {
		logger.Warn("a setting is to be looked at: "+p.text, "place", p.place)
	}
}

// changed names the settings that are others than before, apart from those that are named.
func (s *settings) changed(before *settings, apart []string) (names []string) {
	for name, value := range s.values {
		if name != configFlag && !slices.Contains(apart, name) && !reflect.DeepEqual(value, before.values[name]) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// findings are what was found about settings.
type findings []finding

// finding is about the value of one flag. A warning does not keep it from being used.
type finding struct {
	flag    string
	err     error
	warning bool
}

// fault notes what is wrong with a flag; nothing where err is nil.
func (f *findings) fault(flag string, err error) {
	if err != nil {
		*f = append(*f, finding{flag: flag, err: err})
	}
}

// oddity notes what is odd about a flag.
func (f *findings) oddity(flag, format string, args ...any) {
	*f = append(*f, finding{flag: flag, err: fmt.Errorf(format, args...), warning: true})
}

// problem is something that is wrong with a setting, and where.
type problem struct {
	place, text string
	// line is that of the file, for the order in which problems are told; 0 for none.
	line    int
	warning bool
}

func (p problem) String() string {
	text := p.text
	if p.warning {
		text = "warning: " + text
	}
	if p.place == "" {
		return text
	}
	return p.place + ": " + text
}

// problems is an error that says all of them, each on a line.
type problems []problem

func (p problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// faults are those that are no warnings.
func (p problems) faults() problems {
	return slices.DeleteFunc(slices.Clone(p), func(one problem) bool { return one.warning })
}

// place says where each finding is to be put right.
func (s *settings) place(found findings) (list problems) {
	for _, f := range found {
		from := s.sources[f.flag]
		list = append(list, problem{place: from.place, line: from.line, text: f.err.Error(), warning: f.warning})
	}
	slices.SortStableFunc(list, func(a, b problem) int { return cmp.Compare(a.line, b.line) })
	return list
}

// asProblems turns any error of parse or check into problems.
func asProblems(err error) problems {
	var list problems
	if errors.As(err, &list) {
		return list
	}
	return problems{{text: err.Error()}}
}
