// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// placeholderPattern finds what a parameter fills in the path at a backend.
// Source: dataworks-create-api, RegistrationDetails, servicePath.
var placeholderPattern = regexp.MustCompile(`\[([A-Za-z_][A-Za-z0-9_]{0,63})\]`)

// backendPathPattern takes what a path can have without being encoded (RFC 3986,
// section 3.3), percent-encoded bytes, and brackets for placeholders.
var backendPathPattern = regexp.MustCompile(`^/(?:[A-Za-z0-9/._~!$&'()*+,;=:@\[\]-]|%[0-9A-Fa-f]{2})*$`)

// backendPlaceholders returns the names in a backend path's placeholders, [name],
// each once and in the order of the path.
func backendPlaceholders(path string) []string {
	var names []string
	for _, m := range placeholderPattern.FindAllStringSubmatch(path, -1) {
		if !oneOf(m[1], names) {
			names = append(names, m[1])
		}
	}
	return names
}

// Requires reports whether a caller must pass the parameter: where it is declared so, and
// where it fills a placeholder of the backend's path, which leads somewhere else without
// it, and has no default. A constant is passed by nobody.
func (d Definition) Requires(name string) bool {
	p := d.RequestParameters[name]
	switch {
	case p.Operator == OperatorConst:
		return false
	case d.Registration != nil && p.Default == nil && oneOf(name, backendPlaceholders(d.Registration.Path)):
		return true
	default:
		return p.Required
	}
}

// checkBackendHost applies the rule for a backend's base URL.
func checkBackendHost(v *Invalid, pointer, host string) {
	u, err := url.Parse(host)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		v.Addf(pointer, "%q is not the base URL of a backend: use http:// or https://, a host and maybe a port, such as https://orders.example.com.", host)
	case u.User != nil:
		v.Addf(pointer, "The base URL of a backend has no user or password, which would be no secret there: remove them.")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		v.Addf(pointer, "The base URL of a backend ends with its host and port: write the path in path, and parameters as request_parameters.")
	case u.Port() == "" && strings.HasSuffix(u.Host, ":"), u.Port() == "0":
		v.Addf(pointer, "%q has no port behind its colon.", host)
	}
}

// checkBackendPath applies the rule for the path at a backend.
func checkBackendPath(v *Invalid, pointer, path string) {
	rest := placeholderPattern.ReplaceAllString(path, "x")
	switch {
	case utf8.RuneCountInString(path) > MaxPathLength:
		v.Addf(pointer, "The path has %d characters; %d is the most.", utf8.RuneCountInString(path), MaxPathLength)
	case !backendPathPattern.MatchString(path):
		v.Addf(pointer, "%q is not a path at a backend: start with a slash, and percent-encode what a path cannot have.", path)
	case strings.ContainsAny(rest, "[]"):
		v.Addf(pointer, "A placeholder is written [name], with 1 to 64 letters, digits and underscores, not starting with a digit.")
	case HasDotSegment(rest):
		v.Addf(pointer, "%q leads upwards with \"..\", or stands still with \".\": write the path that is meant.", path)
	}
}

// HasDotSegment reports whether a segment of a path is "." or "..", percent-encoded or
// not: such a path leads elsewhere than it reads.
func HasDotSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if len(segment) > len("%2E%2E") || !strings.HasPrefix(segment, ".") && !strings.HasPrefix(segment, "%2") {
			continue
		}
		switch strings.ReplaceAll(strings.ReplaceAll(segment, "%2E", "."), "%2e", ".") {
		case ".", "..":
			return true
		}
	}
	return false
}
