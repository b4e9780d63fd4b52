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

// serveFlags tells every flag of `dataservice serve`. The command is a package main,
// which nobody imports, so its struct of flags is read as source.
func serveFlags() (string, error) {
	path := filepath.Join("service", "cmd", "dataservice", "serve.go")
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	var rows [][]string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != "serveCommand" {
			return true
		}
		fields, ok := spec.Type.(*ast.StructType)
		if !ok {
			return false
		}
		for _, f := range fields.Fields.List {
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
		return false
	})
	if len(rows) == 0 {
		return "", fmt.Errorf("%s has no struct serveCommand with flags", path)
	}
	return table([]string{"flag", "environment variable", "default", "what it sets"}, rows), nil
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
