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
	"unicode"
)

// serveFlags tells every flag of `dataservice serve`.
func serveFlags() (string, error) { return flagsOf("serveCommand") }

// gatewayFlags tells every flag of `dataservice gateway`.
func gatewayFlags() (string, error) { return flagsOf("gatewayCommand") }

// flagsOf tells every flag of a command. The command is a package main, which nobody
// imports, so its structs of flags are read as source.
func flagsOf(command string) (string, error) {
	files, err := filepath.Glob(filepath.Join("service", "cmd", "dataservice", "*.go"))
	if err != nil {
		return "", err
	}
	structs := map[string]*ast.StructType{}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return "", err
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
	rows := flagRows(structs, command)
	if len(rows) == 0 {
		return "", fmt.Errorf("there is no struct %s with flags", command)
	}
	return table([]string{"flag", "environment variable", "default", "what it sets"}, rows), nil
}

// flagRows returns a row for each flag of a struct, and of those that are embedded in it.
func flagRows(structs map[string]*ast.StructType, name string) (rows [][]string) {
	if structs[name] == nil {
		return nil
	}
	for _, f := range structs[name].Fields.List {
		if embedded, ok := f.Type.(*ast.Ident); ok && len(f.Names) == 0 {
			rows = append(rows, flagRows(structs, embedded.Name)...)
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
		value := ""
		if d := tag.Get("default"); d != "" {
			value = code(d)
		}
		rows = append(rows, []string{code("--" + name), code(tag.Get("env")), value, tag.Get("help")})
	}
	return rows
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
