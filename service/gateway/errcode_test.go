// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"regexp"
	"testing"
)

func TestErrorCodesAreTheirStatusAndTwoDigitsAndAscend(t *testing.T) {
	last := 0
	names := map[string]bool{}
	for _, e := range Errors() {
		if e.Code <= last {
			t.Errorf("%d follows %d", e.Code, last)
		}
		last = e.Code
		if e.Code/100 != e.Status || http.StatusText(e.Status) == "" {
			t.Errorf("%d goes with status %d", e.Code, e.Status)
		}
		if !regexp.MustCompile(`^([A-Z_]+|Throttling\.(Api|User|System))$`).MatchString(e.Name) || names[e.Name] {
			t.Errorf("%d has the name %q", e.Code, e.Name)
		}
		names[e.Name] = true
		for _, text := range []string{e.Meaning, e.Solution} {
			if !regexp.MustCompile(`^[A-Zp].*\.$`).MatchString(text) {
				t.Errorf("%s has %q, which is no sentence", e.Name, text)
			}
		}
	}
}

func TestErrorsHoldsEveryCodeThatIsDeclared(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "errcode.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.CompositeLit); ok {
			if name, ok := lit.Type.(*ast.Ident); ok && name.Name == "ErrorCode" {
				declared++
			}
		}
		return true
	})
	if declared != len(Errors()) {
		t.Errorf("%d codes are declared and %d are listed", declared, len(Errors()))
	}
}
