// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// serveFlags tells every flag of `dataservice serve`.
func serveFlags() (string, error) { return flagsOf("serveCommand") }

// gatewayFlags tells every flag of `dataservice gateway`.
func gatewayFlags() (string, error) { return flagsOf("gatewayCommand") }

// flagsOf tells every flag of a command.
func flagsOf(command string) (string, error) {
	structs, err := commandStructs()
	if err != nil {
		return "", err
	}
	flags := flagsIn(structs, command)
	if len(flags) == 0 {
		return "", fmt.Errorf("there is no struct %s with flags", command)
	}
	var rows [][]string
	for _, f := range flags {
		rows = append(rows, []string{code("--" + f.name), code(f.tag.Get("env")), codeOrNothing(f.tag.Get("default")), f.tag.Get("help")})
	}
	return table([]string{"flag", "environment variable", "default", "what it sets"}, rows), nil
}

// settingsTable tells everything that can stand in the file of settings: the flags of both commands.
func settingsTable() (string, error) {
	structs, err := commandStructs()
	if err != nil {
		return "", err
	}
	served := flagsIn(structs, "serveCommand")
	told := map[string]bool{}
	var rows [][]string
	row := func(f commandFlag, note string) {
		if told[f.name] || f.name == "config" {
			return
		}
		told[f.name] = true
		taken := "restart"
		switch f.tag.Get("reload") {
		case "value":
			taken = "SIGHUP"
		case "content":
			taken = "SIGHUP, what the file holds"
		}
		rows = append(rows, []string{code(f.name), code("--" + f.name), code(f.tag.Get("env")), codeOrNothing(f.tag.Get("default")), f.tag.Get("help") + note, taken})
	}
	ofGateway := flagsIn(structs, "gatewayCommand")
	for _, f := range served {
		note := " *Of `serve` alone.*"
		if slices.ContainsFunc(ofGateway, func(g commandFlag) bool { return g.name == f.name }) {
			note = ""
		}
		row(f, note)
	}
	for _, f := range ofGateway {
		row(f, " *Of `gateway` alone.*")
	}
	if len(rows) == 0 {
		return "", errors.New("there are no flags")
	}
	return table([]string{"key", "flag", "environment variable", "default", "what it sets", "taken on by"}, rows), nil
}

// ofProgram returns what the service's program prints.
func ofProgram(ctx context.Context, args ...string) ([]byte, error) {
	program := exec.CommandContext(ctx, "go", append([]string{"run", "./service/cmd/dataservice"}, args...)...)
	program.Stderr = os.Stderr
	return program.Output()
}

// commandStructs are the structs of the command line. It is a package main, which nobody
// imports, so they are read as source.
func commandStructs() (map[string]*ast.StructType, error) {
	files, err := filepath.Glob(filepath.Join("service", "cmd", "dataservice", "*.go"))
	if err != nil {
		return nil, err
	}
	structs := map[string]*ast.StructType{}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if fields, ok := spec.Type.(*ast.StructType); ok {
					structs[spec.Name.Name] = fields
				}
			}
			return true
		})
	}
	return structs, nil
}

// commandFlag is a flag of a command, with the tag that says all about it.
type commandFlag struct {
	name string
	tag  reflect.StructTag
}

// flagsIn returns the flags of a struct, and of those that are embedded in it.
func flagsIn(structs map[string]*ast.StructType, name string) (flags []commandFlag) {
	if structs[name] == nil {
		return nil
	}
	for _, f := range structs[name].Fields.List {
		if embedded, ok := f.Type.(*ast.Ident); ok && len(f.Names) == 0 {
			flags = append(flags, flagsIn(structs, embedded.Name)...)
			continue
		}
		if f.Tag == nil || len(f.Names) != 1 {
			continue
		}
		literal, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			continue
		}
		tag := reflect.StructTag(literal)
		name := tag.Get("name")
		if name == "" {
			name = kebab(f.Names[0].Name)
		}
		flags = append(flags, commandFlag{name, tag})
	}
	return flags
}

func codeOrNothing(text string) string {
	if text == "" {
		return ""
	}
	return code(text)
}

// kebab writes a field's name as the command line does.
func kebab(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
