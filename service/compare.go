// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
)

// Difference is a field of a definition that is not the same in two versions.
type Difference struct {
	// Pointer is the field, as an RFC 6901 JSON pointer into the definition.
	Pointer string `json:"pointer"`
	// Before and After are the field's values; absent where it was not set.
	Before any `json:"before,omitempty"`
	After  any `json:"after,omitempty"`
}

// Comparison is what is different between two versions of a publication.
type Comparison struct {
	// From and To are the names of the versions.
	From string `json:"from"`
	To   string `json:"to"`
	// Differences are in the order of their pointers.
	Differences []Difference `json:"differences"`
	// BreakingChanges is what a switch from the one to the other takes from callers.
	BreakingChanges []BreakingChange `json:"breaking_changes"`
}

// Compare tells what is different between two versions.
func Compare(from, to Version) (Comparison, error) {
	before, err := document(from.Definition)
	if err != nil {
		return Comparison{}, err
	}
	after, err := document(to.Definition)
	if err != nil {
		return Comparison{}, err
	}
	c := Comparison{From: from.Name, To: to.Name, Differences: differences(nil, before, after), BreakingChanges: BreakingChanges(from.Definition, to.Definition)}
	if c.Differences == nil {
		c.Differences = []Difference{}
	}
	if c.BreakingChanges == nil {
		c.BreakingChanges = []BreakingChange{}
	}
	return c, nil
}

// document is the definition as the JSON object that callers of the native API see, with
// numbers as they are written.
func document(d Definition) (map[string]any, error) {
	data, err := json.Marshal(d.WithDefaults())
	if err != nil {
		return nil, err
	}
	var object map[string]any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return object, decoder.Decode(&object)
}

// differences walks two objects side by side. Objects are compared field by field, as
// far as both have them; a list is one value, since its elements have no names.
func differences(at []string, before, after map[string]any) []Difference {
	names := maps.Clone(before)
	maps.Copy(names, after)
	var found []Difference
	for _, name := range slices.Sorted(maps.Keys(names)) {
		here := append(at[:len(at):len(at)], name)
		b, a := before[name], after[name]
		objectBefore, isBefore := b.(map[string]any)
		objectAfter, isAfter := a.(map[string]any)
		switch {
		case isBefore && isAfter:
			found = append(found, differences(here, objectBefore, objectAfter)...)
		case !reflect.DeepEqual(b, a):
			found = append(found, Difference{Pointer: Pointer(here...), Before: b, After: a})
		}
	}
	return found
}
