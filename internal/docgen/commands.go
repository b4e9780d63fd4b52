// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service/cmd/dataservice/remote"
)

// exitCodes tells what the command line ends with.
func exitCodes() string {
	var rows [][]string
	for _, e := range remote.Exits {
		var codes []string
		for _, c := range e.Codes {
			codes = append(codes, code(c))
		}
		rows = append(rows, []string{code(strconv.Itoa(e.Code)), code(e.Name), e.Meaning, strings.Join(codes, ", ")})
	}
	return table([]string{"exit code", "name", "what it means", "codes of the service"}, rows)
}

// commandReference tells of every command with its arguments and flags. They are read as
// source, as those of [flagsOf] are.
func commandReference() (string, error) {
	main := filepath.Join("service", "cmd", "dataservice")
	s := structs{}
	for name, folder := range map[string]string{"main": main, "remote": filepath.Join(main, "remote")} {
		if err := s.read(name, folder); err != nil {
			return "", err
		}
	}
	var b strings.Builder
	connection := s.inputs("remote", "Connection")
	if len(connection) == 0 {
		return "", fmt.Errorf("the flags that say which service is called were not found")
	}
	b.WriteString("### Which service, and as whom\n\nThe commands that call a service take these flags besides their own.\n\n")
	b.WriteString(inputTable(connection))
	if err := s.commands(&b, "main", "commandLine", "dataservice"); err != nil {
		return "", err
	}
	return b.String(), nil
}

// structs are the struct types of some packages, as "PACKAGE.NAME".
type structs map[string]*ast.StructType

func (s structs) read(name, folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return err
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if fields, ok := spec.Type.(*ast.StructType); ok {
					s[name+"."+spec.Name.Name] = fields
				}
			}
			return true
		})
	}
	return nil
}

// typeOf returns the package and name of a field's type; "" for one that is not a name.
func typeOf(in string, t ast.Expr) (pkg, name string) {
	switch t := t.(type) {
	case *ast.Ident:
		return in, t.Name
	case *ast.SelectorExpr:
		if x, ok := t.X.(*ast.Ident); ok {
			return x.Name, t.Sel.Name
		}
	}
	return "", ""
}

func tagOf(f *ast.Field) reflect.StructTag {
	if f.Tag == nil {
		return ""
	}
	literal, err := strconv.Unquote(f.Tag.Value)
	if err != nil {
		return ""
	}
	return reflect.StructTag(literal)
}

// commands writes the commands of a struct, and those below them.
func (s structs) commands(b *strings.Builder, pkg, name, path string) error {
	fields := s[pkg+"."+name]
	if fields == nil {
		return fmt.Errorf("there is no struct %s.%s with commands", pkg, name)
	}
	for _, f := range fields.Fields.List {
		inner, typeName := typeOf(pkg, f.Type)
		if len(f.Names) == 0 {
			// An embedded struct has more commands of the same level, or none.
			if s.hasCommands(inner, typeName) {
				if err := s.commands(b, inner, typeName, path); err != nil {
					return err
				}
			}
			continue
		}
		tag := tagOf(f)
		if _, isCommand := tag.Lookup("cmd"); !isCommand {
			continue
		}
		word := tag.Get("name")
		if word == "" {
			word = kebab(f.Names[0].Name)
		}
		here := path + " " + word
		if s.hasCommands(inner, typeName) {
			fmt.Fprintf(b, "\n### %s\n\n%s\n", here, help(tag))
			if err := s.commands(b, inner, typeName, here); err != nil {
				return err
			}
			continue
		}
		level := "####"
		if path == "dataservice" {
			level = "###"
		}
		fmt.Fprintf(b, "\n%s %s\n\n%s\n\n", level, here, help(tag))
		own := s.inputs(inner, typeName)
		usage := here
		for _, p := range own {
			switch {
			case p.argument:
				usage += " " + p.name
			case p.required:
				usage += " --" + p.name + " " + p.placeholder
			}
		}
		fmt.Fprintf(b, "Usage: `%s [flags]`", usage)
		if s.embeds(inner, typeName, "remote", "Connection") {
			b.WriteString(", calls [a service](#which-service-and-as-whom)")
		}
		b.WriteString("\n")
		if len(own) > 0 {
			b.WriteString("\n" + inputTable(own))
		}
	}
	return nil
}

func (s structs) hasCommands(pkg, name string) bool {
	fields := s[pkg+"."+name]
	if fields == nil {
		return false
	}
	for _, f := range fields.Fields.List {
		if _, isCommand := tagOf(f).Lookup("cmd"); isCommand {
			return true
		}
	}
	return false
}

// embeds reports whether a struct has the other one in it, at any depth.
func (s structs) embeds(pkg, name, otherPkg, other string) bool {
	fields := s[pkg+"."+name]
	if fields == nil {
		return false
	}
	for _, f := range fields.Fields.List {
		if len(f.Names) > 0 {
			continue
		}
		inner, typeName := typeOf(pkg, f.Type)
		if inner == otherPkg && typeName == other || s.embeds(inner, typeName, otherPkg, other) {
			return true
		}
	}
	return false
}

// input is an argument or a flag of a command.
type input struct {
	name, short, env, value, help, placeholder string
	argument, required                         bool
}

// inputs returns those of a struct and of what is embedded in it, but for those that
// say which service is called where it is another struct's.
func (s structs) inputs(pkg, name string) (all []input) {
	fields := s[pkg+"."+name]
	if fields == nil {
		return nil
	}
	for _, f := range fields.Fields.List {
		if len(f.Names) == 0 {
			if inner, typeName := typeOf(pkg, f.Type); typeName != "Connection" {
				all = append(all, s.inputs(inner, typeName)...)
			}
			continue
		}
		tag := tagOf(f)
		if tag == "" || len(f.Names) != 1 {
			continue
		}
		p := input{name: tag.Get("name"), short: tag.Get("short"), env: tag.Get("env"), value: tag.Get("default"), help: help(tag)}
		_, p.argument = tag.Lookup("arg")
		_, p.required = tag.Lookup("required")
		p.placeholder = tag.Get("placeholder")
		switch {
		case p.argument && p.name == "":
			p.name = f.Names[0].Name
		case p.name == "":
			p.name = kebab(f.Names[0].Name)
		}
		if p.argument {
			p.name = strings.ToUpper(p.name)
			if _, several := f.Type.(*ast.ArrayType); several {
				p.name += "…"
			}
		}
		all = append(all, p)
	}
	return all
}

// help is a help text as the command line shows it.
func help(tag reflect.StructTag) string { return strings.ReplaceAll(tag.Get("help"), "$$", "$") }

func inputTable(all []input) string {
	var rows [][]string
	for _, p := range all {
		name := code("--" + p.name)
		switch {
		case p.argument:
			name = code(p.name)
		case p.short != "":
			name = code("-"+p.short) + ", " + name
		}
		row := []string{name, "", "", p.help}
		if p.env != "" {
			row[1] = code(p.env)
		}
		if p.value != "" {
			row[2] = code(p.value)
		}
		rows = append(rows, row)
	}
	return table([]string{"argument or flag", "environment variable", "default", "what it is"}, rows)
}
