// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service/cmd/dataservice/remote"
)

// known returns every command, with its own flags and arguments: "--remark", "-m", "VERSION".
func known(t *testing.T) map[string][]string {
	t.Helper()
	commands := map[string][]string{}
	var visit func(path string, n *kong.Node)
	visit = func(path string, n *kong.Node) {
		inputs := []string{}
		for _, f := range n.Flags {
			inputs = append(inputs, "--"+f.Name)
			if f.Short != 0 {
				inputs = append(inputs, "-"+string(f.Short))
			}
		}
		for _, p := range n.Positional {
			inputs = append(inputs, strings.ToUpper(p.Name))
		}
		commands[path] = inputs
		for _, c := range n.Children {
			visit(path+" "+c.Name, c)
		}
	}
	for _, c := range model(t).Children {
		visit("dataservice "+c.Name, c)
	}
	return commands
}

// TestTheGuideTellsEveryCommandAndFlag compares the reference in the guide, which is
// written from the sources, with what the parser knows.
func TestTheGuideTellsEveryCommandAndFlag(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "templates", "guides", "cli.md.tmpl"))
	if err != nil {
		t.Fatal(err)
	}
	_, reference, found := strings.Cut(string(text), "<!-- commands: begin -->")
	if !found {
		t.Fatal("the guide has no reference")
	}
	told := map[string][]string{}
	var connection []string
	for _, section := range regexp.MustCompile(`(?m)^###+ `).Split(reference, -1)[1:] {
		title, body, _ := strings.Cut(section, "\n")
		inputs := []string{}
		for line := range strings.Lines(body) {
			if cell, isRow := strings.CutPrefix(line, "| `"); isRow {
				cell, _, _ = strings.Cut(cell, " |")
				for name := range strings.SplitSeq(cell, ", ") {
					inputs = append(inputs, strings.TrimSuffix(strings.Trim(name, "`"), "…"))
				}
			}
		}
		if title == "Which service, and as whom" {
			connection = inputs
			continue
		}
		if strings.Contains(body, "calls [a service]") {
			inputs = append(inputs, connection...)
		}
		told[title] = inputs
	}
	for path, inputs := range known(t) {
		if told[path] == nil {
			t.Errorf("the guide does not tell of %s: run make generate", path)
			continue
		}
		slices.Sort(inputs)
		slices.Sort(told[path])
		if !slices.Equal(inputs, told[path]) {
			t.Errorf("%s takes %v, the guide says %v", path, inputs, told[path])
		}
		delete(told, path)
	}
	for path := range told {
		t.Errorf("the guide tells of %s, which does not exist", path)
	}
}

// TestEveryCommandInTheDocumentationExists: with each flag that is written behind it.
func TestEveryCommandInTheDocumentationExists(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	pages, err := filepath.Glob(filepath.Join(root, "templates", "guides", "*.tmpl"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("the guides are %v, %v", pages, err)
	}
	pages = append(pages, filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md"))
	commands := known(t)
	code := regexp.MustCompile("(?s)```.*?```|`[^`\n]+`")
	call := regexp.MustCompile(`(?m)(?:^|[\s(/"'` + "`" + `])dataservice((?: [a-z][a-z-]*)+)([^\n|)` + "`" + `]*)`)
	seen := map[string]bool{}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range code.FindAllString(strings.ReplaceAll(string(text), "\\\n", " "), -1) {
			for _, found := range call.FindAllStringSubmatch(block, -1) {
				words := strings.Fields(found[1])
				path := "dataservice"
				for _, w := range words {
					if _, ok := commands[path+" "+w]; !ok {
						break
					}
					path += " " + w
				}
				if path == "dataservice" {
					if words[0] == "exec" || words[0] == "rollout" { // the namespace of kubectl
						continue
					}
					if !strings.Contains(found[2], "=") { // a block of Terraform, or a service in a compose file
						t.Errorf("%s: there is no command %q", filepath.Base(page), strings.TrimSpace(found[0]))
					}
					continue
				}
				seen[path] = true
				own, _, _ := strings.Cut(found[2], " -- ") // what follows is for another command
				for _, flag := range regexp.MustCompile(`(?:^|\s)(--[a-z][a-z-]*|-[a-z])\b`).FindAllStringSubmatch(own, -1) {
					if !slices.Contains(commands[path], flag[1]) && flag[1] != "--help" && flag[1] != "--version" {
						t.Errorf("%s: %s has no flag %s", filepath.Base(page), path, flag[1])
					}
				}
			}
		}
	}
	for path := range commands {
		if !seen[path] && len(commands[path]) > 0 {
			t.Errorf("no page shows %s: the pattern of this test does not find it", path)
		}
	}
}

// TestEveryExitCodeIsTold: a code that is not in the list has no row in the guide.
func TestEveryExitCodeIsTold(t *testing.T) {
	numbers := map[int]bool{}
	for _, e := range remote.Exits {
		if numbers[e.Code] {
			t.Errorf("%d is told twice", e.Code)
		}
		numbers[e.Code] = true
	}
	for _, n := range []int{exitOK, exitFailed, exitUsage} {
		if !numbers[n] {
			t.Errorf("%d is not told", n)
		}
	}
}

func completionScript(t *testing.T, shell string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"completion", shell}, &stdout, &stderr); code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	file := filepath.Join(t.TempDir(), "_dataservice")
	if err := os.WriteFile(file, stdout.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// completions are command lines as bash cuts them into words, the last one being typed,
// with what is proposed: all of it, or, behind "…", some of it.
var completions = map[string]struct {
	words []string
	want  string
}{
	"nothing yet":                              {[]string{""}, "… apis publications reviews serve version"},
	"the beginning of a command":               {[]string{"publ"}, "publications"},
	"a command that has others":                {[]string{"reviews", ""}, "approve cancel list reject show wait"},
	"behind a flag with a value":               {[]string{"reviews", "--endpoint", "http://x", "ap"}, "approve"},
	"behind a flag with a value after =":       {[]string{"reviews", "--endpoint", "=", "http://x", "ap"}, "approve"},
	"a flag":                                   {[]string{"publications", "suspend", "capitals", "--ye"}, "--yes"},
	"flags of another command are not there":   {[]string{"publications", "list", "--ye"}, ""},
	"what a flag takes":                        {[]string{"reviews", "list", "--status", "S"}, "SUPERSEDED"},
	"what a flag takes after =":                {[]string{"reviews", "list", "--output", "=", "j"}, "json"},
	"what a flag takes, with nothing after =":  {[]string{"reviews", "list", "--output", "="}, "json table"},
	"what a short flag takes":                  {[]string{"whoami", "-o", ""}, "json table"},
	"what cannot be known":                     {[]string{"publications", "show", ""}, ""},
	"the value of a flag that is a command":    {[]string{"publications", "list", "--api", "show", "--stat"}, "--status"},
	"words of an argument":                     {[]string{"completion", ""}, "bash fish zsh"},
	"a file of a flag":                         {[]string{"whoami", "--token-file", "a t"}, "a token"},
	"a file of an argument":                    {[]string{"apis", "validate", "a t"}, "a token"},
	"no file where a flag begins":              {[]string{"apis", "validate", "--without"}, "--without-connection"},
	"the same status of another kind of thing": {[]string{"notices", "list", "--status", "OP"}, "OPEN"},
}

// TestBashCompletes has bash source the script, and complete.
func TestBashCompletes(t *testing.T) {
	bash := servicetest.Program(t, "bash")
	script := completionScript(t, "bash")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a token"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var program strings.Builder
	program.WriteString("set -u\nsource " + quoted(script) + "\nread -r _ _ function _ <<< \"$(complete -p dataservice)\"\n")
	names := slices.Sorted(maps.Keys(completions))
	for _, name := range names {
		program.WriteString("COMP_WORDS=(dataservice")
		for _, w := range completions[name].words {
			program.WriteString(" " + quoted(w))
		}
		program.WriteString(")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n$function dataservice\nprintf '%s\\n' ${COMPREPLY[@]+\"${COMPREPLY[@]}\"} end\n")
	}
	command := exec.CommandContext(t.Context(), bash, "--norc", "--noprofile")
	command.Dir, command.Stdin = dir, strings.NewReader(program.String())
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	answers := strings.Split(string(out), "end\n")
	if len(answers) != len(names)+1 {
		t.Fatalf("there are %d answers to %d lines:\n%s", len(answers)-1, len(names), out)
	}
	for i, name := range names {
		checkProposals(t, name, strings.FieldsFunc(answers[i], func(r rune) bool { return r == '\n' }))
	}
}

func checkProposals(t *testing.T, name string, got []string) {
	t.Helper()
	slices.Sort(got)
	want, some := strings.CutPrefix(completions[name].want, "… ")
	if some {
		for w := range strings.FieldsSeq(want) {
			if !slices.Contains(got, w) {
				t.Errorf("%s: %s is not proposed, but %q", name, w, got)
			}
		}
		return
	}
	if strings.Join(got, " ") != want {
		t.Errorf("%s: proposed is %q, want %q", name, got, want)
	}
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// TestZshCompletes calls the function in zsh, where there is one, with stand-ins for what
// its completion system would show.
func TestZshCompletes(t *testing.T) {
	script := completionScript(t, "zsh")
	zsh := servicetest.Program(t, "zsh")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a token"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var program strings.Builder
	program.WriteString(`compdef() { : }
compset() { typed=${typed#*=} }
_files() { print -l -- ${~${(b)typed}}* }
_describe() { local e; for e in $entries; do e=${e%%:*}; [[ $e == ${(b)typed}* ]] && print -r -- $e; done }
source ` + quoted(script) + "\n")
	names := slices.Sorted(maps.Keys(completions))
	for _, name := range names {
		var words []string
		for w := range strings.SplitSeq(strings.ReplaceAll(strings.ReplaceAll(strings.Join(completions[name].words, "\x00"), "\x00=\x00", "="), "\x00=", "="), "\x00") {
			words = append(words, quoted(w))
		}
		program.WriteString("words=(dataservice " + strings.Join(words, " ") + "); CURRENT=$#words; typed=$words[-1]; _dataservice; print end\n")
	}
	command := exec.CommandContext(t.Context(), zsh, "-f")
	command.Dir, command.Stdin = dir, strings.NewReader(program.String())
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	answers := strings.Split(string(out), "end\n")
	if len(answers) != len(names)+1 {
		t.Fatalf("there are %d answers to %d lines:\n%s", len(answers)-1, len(names), out)
	}
	for i, name := range names {
		checkProposals(t, name, strings.FieldsFunc(answers[i], func(r rune) bool { return r == '\n' }))
	}
}

// TestFishCompletes asks fish for completions, where there is one.
func TestFishCompletes(t *testing.T) {
	script := completionScript(t, "fish")
	fish := servicetest.Program(t, "fish")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a token"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(completions)) {
		words := slices.Clone(completions[name].words)
		if strings.Contains(strings.Join(words, " "), "a t") {
			words[len(words)-1] = `a\ t`
		}
		// fish takes "--flag=value" as one word.
		typed := strings.ReplaceAll("dataservice "+strings.Join(words, " "), " = ", "=")
		typed = strings.Replace(typed, " =", "=", 1)
		command := exec.CommandContext(t.Context(), fish, "--no-config", "-c", "source "+quoted(script)+"; complete -C "+quoted(typed))
		command.Dir = dir
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var got []string
		for line := range strings.Lines(string(out)) {
			word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
			if i := strings.LastIndex(word, "="); i >= 0 {
				word = word[i+1:]
			}
			got = append(got, strings.ReplaceAll(word, `\ `, " "))
		}
		checkProposals(t, name, got)
	}
}
