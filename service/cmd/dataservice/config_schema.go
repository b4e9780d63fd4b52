// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// configSchemaCommand prints what editors complete the file with.
type configSchemaCommand struct{}

// Run prints the schema.
func (configSchemaCommand) Run(out streams) error {
	text, err := configSchema()
	if err != nil {
		return err
	}
	_, err = out.out.Write(text)
	return err
}

// configExampleCommand prints a file to begin with.
type configExampleCommand struct{}

// Run prints the file.
func (configExampleCommand) Run(out streams) error {
	text, err := configExample()
	if err != nil {
		return err
	}
	_, err = io.WriteString(out.out, text)
	return err
}

// configKeys are the flags that can stand in the file, with the commands that have them.
func configKeys() (all []*kong.Flag, of map[string]map[string]*kong.Flag, err error) {
	parser, err := newParser(&commandLine{}, io.Discard, io.Discard)
	if err != nil {
		return nil, nil, err
	}
	all, of = keysOf(parser.Model)
	return all, of, nil
}

// schemaProperty is one setting in the schema.
type schemaProperty struct {
	Description string          `json:"description"`
	Type        string          `json:"type"`
	Items       *schemaProperty `json:"items,omitempty"`
	Values      *schemaProperty `json:"additionalProperties,omitempty"`
	Enum        []string        `json:"enum,omitempty"`
	Pattern     string          `json:"pattern,omitempty"`
	Default     any             `json:"default,omitempty"`
}

// configSchema is the JSON Schema of the file. It is of draft 7, which editors know best.
func configSchema() ([]byte, error) {
	all, _, err := configKeys()
	if err != nil {
		return nil, err
	}
	properties := map[string]schemaProperty{}
	for _, f := range all {
		p := schemaProperty{Description: f.Help + " " + aboutReload(f), Enum: nil}
		switch kindOf(f) {
		case kindBool:
			p.Type = "boolean"
		case kindInt:
			p.Type = "integer"
		case kindFloat:
			p.Type = "number"
		case kindDuration:
			p.Type, p.Pattern = "string", `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`
		case kindList:
			p.Type, p.Items = "array", &schemaProperty{Type: "string"}
		case kindMap:
			p.Type, p.Values = "object", &schemaProperty{Type: "string"}
		case kindText:
			p.Type = "string"
		}
		if f.Enum != "" {
			p.Enum = f.EnumSlice()
		}
		if p.Default, err = defaultOf(f); err != nil {
			return nil, err
		}
		properties[f.Name] = p
	}
	text, err := json.MarshalIndent(map[string]any{
		"$schema":              "http://json-schema.org/draft-07/schema#",
		"title":                "Settings of dataservice serve and dataservice gateway",
		"type":                 "object",
		"additionalProperties": false,
		"properties":           properties,
	}, "", "  ")
	return append(text, '\n'), err
}

// defaultOf returns the default of a flag in its own type; nil for none.
func defaultOf(f *kong.Flag) (any, error) {
	if !f.HasDefault {
		return nil, nil //nolint:nilnil // there is none.
	}
	switch kindOf(f) {
	case kindInt:
		return strconv.ParseInt(f.Default, 0, 64)
	case kindFloat:
		return strconv.ParseFloat(f.Default, 64)
	case kindBool:
		return strconv.ParseBool(f.Default)
	case kindList:
		return strings.Split(f.Default, ","), nil
	case kindText, kindDuration, kindMap:
	}
	return f.Default, nil
}

// aboutReload says what SIGHUP does with a setting.
func aboutReload(f *kong.Flag) string {
	switch f.Tag.Get("reload") {
	case "value":
		return "Reloaded on SIGHUP."
	case "content":
		return "What the file holds is reloaded on SIGHUP."
	}
	return "Taken on by a restart."
}

// configExample is a file that says what nobody had to say.
func configExample() (string, error) {
	all, of, err := configKeys()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("# yaml-language-server: $schema=config.schema.json\n" +
		"#\n" +
		"# Every setting of \"dataservice serve\" and \"dataservice gateway\", with its default where it has one.\n" +
		"# Take away the \"# \" before a setting to set it. Flags and environment variables win over this file.\n" +
		"# \"dataservice config check --config FILE\" tells whether it can be used.\n")
	for _, f := range all {
		b.WriteString("\n")
		wrap(&b, f.Help)
		notes := []string{aboutReload(f)}
		for _, command := range commandsWithFile {
			if of[command][f.Name] == nil {
				notes = append(notes, fmt.Sprintf("Not used by %s.", command))
			}
		}
		wrap(&b, strings.Join(notes, " "))
		value, err := defaultOf(f)
		if err != nil {
			return "", err
		}
		if value == nil {
			value = exampleOf(f)
		}
		fmt.Fprintf(&b, "# %s: %s\n", f.Name, inline(value))
	}
	return b.String(), nil
}

// exampleOf is a value for a setting without a default.
func exampleOf(f *kong.Flag) any {
	if f.Enum != "" {
		return f.EnumSlice()[0]
	}
	switch kindOf(f) {
	case kindBool:
		return false
	case kindInt, kindFloat:
		return 0
	case kindDuration:
		return "10s"
	case kindList:
		return []string{f.PlaceHolder}
	case kindMap:
		return map[string]string{"NAME": "VALUE"}
	case kindText:
	}
	return or(f.PlaceHolder, "TEXT")
}

// wrap writes a comment on lines that are not too long.
func wrap(b *strings.Builder, text string) {
	const most = 100
	line := "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > most && line != "#" {
			b.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}
