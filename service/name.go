// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits that the source documents set.
const (
	// MaxPathLength is in characters. Source: dataworks-create-api, ApiPath.
	MaxPathLength = 200
	// MaxTimeoutMS is in milliseconds. Source: dataworks-create-api, Timeout.
	MaxTimeoutMS = 30000
	// MaxRemarkLength is in characters. Source: apig-publish-offline, remark.
	MaxRemarkLength = 255
	// MaxDescriptionLength is in characters.
	MaxDescriptionLength = 2000
	// MaxResourceGroupLength is in characters.
	MaxResourceGroupLength = 64
)

var (
	namePattern      = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{3,49}$`)
	pathPattern      = regexp.MustCompile(`^/[A-Za-z0-9_/-]*$`)
	parameterPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)
	headerPattern    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)
	errorCodePattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	memberPattern    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)
	folderPattern    = regexp.MustCompile(`^[\p{L}\p{N}_-]([\p{L}\p{M}\p{N}_ -]{0,62}[\p{L}\p{M}\p{N}_-])?$`)
	stagePattern     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{1,63}$`)
)

// checkName applies the rule for names of APIs, connections and groups.
// Source: dataworks-create-api, ApiName.
func checkName(v *Invalid, name string) {
	if !namePattern.MatchString(name) {
		v.Addf("/name", "%q is not a valid name: use 4 to 50 letters, digits and underscores, starting with a letter.", name)
	}
}

// checkPath applies the rule for API paths. Source: dataworks-create-api, ApiPath.
func checkPath(v *Invalid, pointer, path string) {
	switch {
	case utf8.RuneCountInString(path) > MaxPathLength:
		v.Addf(pointer, "The path has %d characters; %d is the most.", utf8.RuneCountInString(path), MaxPathLength)
	case !pathPattern.MatchString(path):
		v.Addf(pointer, "%q is not a valid path: start with a slash and use letters, digits, underscores, hyphens and slashes.", path)
	}
}

func checkMaxLength(v *Invalid, pointer, what, value string, most int) {
	if n := utf8.RuneCountInString(value); n > most {
		v.Addf(pointer, "The %s has %d characters; %d is the most.", what, n, most)
	}
}

// checkIdentifier applies the rule for names in a database, whose own rules are wider
// than any list: 1 to 200 bytes without control characters. Whether there is such a
// table or column the database says.
func checkIdentifier(v *Invalid, pointer, what, name string) {
	switch {
	case name == "":
		v.Addf(pointer, "Give the name of the %s.", what)
	case len(name) > maxIdentifierLength || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		v.Addf(pointer, "%q is not the name of a %s: use 1 to %d bytes without control characters.", name, what, maxIdentifierLength)
	}
}

const maxIdentifierLength = 200

// ValidateRemark checks the remark that accompanies a call.
func ValidateRemark(remark string) error {
	var v Invalid
	checkMaxLength(&v, "/remark", "remark", remark, MaxRemarkLength)
	return v.Err("The request")
}
