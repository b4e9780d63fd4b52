// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// form is the parameters of a call. The first thing that is wrong with them stays in err:
// whoever has read all that there is to read looks there once.
type form struct {
	values url.Values
	err    error
}

func (p *form) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// text reads a parameter that may be absent; "" where it is.
func (p *form) text(name string) string {
	if len(p.values[name]) > 1 {
		p.fail(invalid(name, "it is given more than once."))
	}
	return p.values.Get(name)
}

// required reads a parameter that must be there.
func (p *form) required(name string) string {
	text := p.text(name)
	if text == "" {
		p.fail(missingParameter(name))
	}
	return text
}

// maybeInteger reads a whole number that may be absent; nil where it is.
func (p *form) maybeInteger(name string) *int64 {
	text := p.text(name)
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		p.fail(invalid(name, fmt.Sprintf("%q is not a whole number.", text)))
		return nil
	}
	return &n
}

// integer reads a whole number that must be there.
func (p *form) integer(name string) int64 {
	p.required(name)
	if n := p.maybeInteger(name); n != nil {
		return *n
	}
	return 0
}

// number reads the number of a thing, which must be there, as a reference to it.
func (p *form) number(name string) string { return decimal(p.integer(name)) }

// flag reads true or false, which may be absent: false.
func (p *form) flag(name string) bool {
	switch text := p.text(name); strings.ToLower(text) {
	case "", "false":
		return false
	case "true":
		return true
	default:
		p.fail(invalid(name, fmt.Sprintf("%q is neither true nor false.", text)))
		return false
	}
}

// choice reads the number of one of the values, which may be absent: nil.
func choice[T ~string](p *form, name string, values []T) *T {
	n := p.maybeInteger(name)
	if n == nil {
		return nil
	}
	v, err := numbered(int(*n), name, values)
	if err != nil {
		p.fail(err)
		return nil
	}
	return &v
}

// numbered returns the value that has the number.
func numbered[T ~string](n int, name string, values []T) (v T, err error) {
	if n < 0 || n >= len(values) {
		meanings := make([]string, len(values))
		for i, value := range values {
			meanings[i] = fmt.Sprintf("%d (%s)", i, value)
		}
		return v, invalid(name, fmt.Sprintf("%d is none of %s.", n, strings.Join(meanings, ", ")))
	}
	return values[n], nil
}

// choices reads several numbers with commas between them, which may be absent: nil.
func choices[T ~string](p *form, name string, values []T) []T {
	text := p.text(name)
	if text == "" {
		return nil
	}
	var chosen []T
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			p.fail(invalid(name, fmt.Sprintf("%q is not a whole number.", part)))
			return nil
		}
		v, err := numbered(n, name, values)
		if err != nil {
			p.fail(err)
			return nil
		}
		chosen = append(chosen, v)
	}
	return chosen
}

// group is a numbered list of keys and values, such as QueryParam.1.ParamKey.
func (p *form) pairs(name string) [][2]string {
	var pairs [][2]string
	for i := 1; ; i++ {
		at := name + "." + strconv.Itoa(i)
		if !p.values.Has(at+".ParamKey") && !p.values.Has(at+".ParamValue") {
			return pairs
		}
		pairs = append(pairs, [2]string{p.required(at + ".ParamKey"), p.text(at + ".ParamValue")})
	}
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
