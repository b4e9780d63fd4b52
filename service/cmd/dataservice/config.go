// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// configCommand is about the settings of serve and gateway.
type configCommand struct {
	Check   configCheckCommand   `cmd:"" help:"Check the settings as serve or gateway would, without starting either: nothing is opened, made or changed."`
	Schema  configSchemaCommand  `cmd:"" help:"Print the JSON Schema of the file of settings, for editors."`
	Example configExampleCommand `cmd:"" help:"Print a file of settings that has all of them, with their defaults, commented out."`
}

// configCheckCommand checks what a command would be told.
type configCheckCommand struct {
	Config string   `help:"YAML file with settings." env:"DATASERVICE_CONFIG" placeholder:"FILE"`
	For    string   `name:"for" help:"Whose settings they are: serve or gateway." default:"serve" enum:"serve,gateway"`
	Print  bool     `help:"Print every setting with its value, secrets masked, and where that comes from."`
	Output string   `help:"How it is printed: text or json." default:"text" enum:"text,json"`
	Flags  []string `arg:"" optional:"" passthrough:"" help:"Flags that serve or gateway is started with, behind --."`
}

// Run prints each problem on standard error. What is in effect goes to standard output.
func (c configCheckCommand) Run(out streams) error {
	args := []string{c.For}
	if c.Config != "" {
		args = append(args, "--"+configFlag+"="+c.Config)
	}
	flags := c.Flags
	if len(flags) > 0 && flags[0] == "--" {
		flags = flags[1:]
	}
	s, found, err := checkConfig(append(args, flags...))
	if err != nil {
		return &usageError{err}
	}
	effective := []effect{}
	if s.values != nil {
		effective = s.effective()
	}
	if c.Output == "json" {
		if err := writeConfigJSON(out.out, c.Print, found, effective); err != nil {
			return err
		}
	} else {
		for _, p := range found {
			fmt.Fprintln(out.err, p)
		}
		if c.Print && s.values != nil {
			fmt.Fprintf(out.out, "# What \"dataservice %s\" would use, and from where.\n", c.For)
			for _, e := range effective {
				if e.Value == nil {
					fmt.Fprintf(out.out, "# %s is not set\n", e.Key)
					continue
				}
				fmt.Fprintf(out.out, "%s: %s # %s\n", e.Key, e.text, e.Source)
			}
		}
	}
	if len(found.faults()) > 0 {
		return failed(found, "The settings cannot be used: %s.", summary(found))
	}
	if c.Output == "text" {
		fmt.Fprintln(out.err, "The settings can be used.")
	}
	return nil
}

// effect is a setting that is in effect.
type effect struct {
	Key        string `json:"key"`
	Value      any    `json:"value"`
	Source     string `json:"source"`
	Reloadable bool   `json:"reloadable"`

	// text is the value as it stands in the file.
	text string
}

func (s *settings) effective() (list []effect) {
	for _, f := range s.context.Selected().Flags {
		if !isKey(f) {
			continue
		}
		value := shownValue(f, hidden(f, s.values[f.Name]))
		list = append(list, effect{Key: f.Name, Value: value, Source: s.sources[f.Name].text, Reloadable: f.Tag.Get("reload") != "", text: inline(value)})
	}
	return list
}

// shownValue is a value as it is written in the file: a duration with its unit.
func shownValue(f *kong.Flag, value any) any {
	if kindOf(f) == kindDuration {
		return fmt.Sprint(value)
	}
	if v := reflect.ValueOf(value); v.Kind() == reflect.Slice && v.Len() == 0 {
		return []string{}
	}
	return value
}

// inline writes a value as YAML on one line.
func inline(value any) string {
	var n yaml.Node
	if err := n.Encode(value); err != nil {
		return fmt.Sprint(value)
	}
	n.Style = yaml.FlowStyle
	if n.Kind == yaml.ScalarNode {
		n.Style = 0
		if n.ShortTag() == "!!str" {
			n.Style = yaml.DoubleQuotedStyle
		}
	}
	text, err := yaml.Marshal(&n)
	if err != nil {
		return fmt.Sprint(value)
	}
	return strings.TrimSpace(string(text))
}

// hidden masks the secret in a value. The tag secret of a flag says what is one: all of it, or
// the password in a URL.
func hidden(f *kong.Flag, value any) any {
	text, _ := value.(string)
	switch kind := f.Tag.Get("secret"); {
	case kind == "" || text == "":
		return value
	case kind == "url":
		u, err := url.Parse(text)
		if err != nil {
			return "xxxxx"
		}
		if query := u.Query(); query.Has("password") {
			query.Set("password", "xxxxx")
			u.RawQuery = query.Encode()
			return u.Redacted()
		}
		if _, has := u.User.Password(); has {
			return u.Redacted()
		}
		return value
	}
	return "xxxxx"
}

// foundJSON is a problem as a program reads it.
type foundJSON struct {
	Severity string `json:"severity"`
	Place    string `json:"place"`
	Message  string `json:"message"`
}

func writeConfigJSON(w io.Writer, all bool, found problems, effective []effect) error {
	result := struct {
		Valid    bool        `json:"valid"`
		Problems []foundJSON `json:"problems"`
		Settings []effect    `json:"settings,omitempty"`
	}{Valid: len(found.faults()) == 0, Problems: []foundJSON{}}
	for _, p := range found {
		severity := "error"
		if p.warning {
			severity = "warning"
		}
		result.Problems = append(result.Problems, foundJSON{severity, p.place, p.text})
	}
	if all {
		result.Settings = effective
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(result)
}
