// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"fmt"
	"maps"
	"slices"
)

// BreakingChange is one thing that a candidate takes from those who call what is live.
type BreakingChange struct {
	// Kind is short and stable.
	Kind BreakingKind `json:"kind"`
	// Pointer is the field of the definition, as an RFC 6901 JSON pointer.
	Pointer string `json:"pointer"`
	// Message is a sentence: what was, and what is to be.
	Message string `json:"message"`
}

// BreakingKind is a way to break callers.
type BreakingKind string

// The ways to break callers.
const (
	BreakPath              BreakingKind = "PATH_CHANGED"
	BreakMethod            BreakingKind = "METHOD_CHANGED"
	BreakProtocol          BreakingKind = "PROTOCOL_REMOVED"
	BreakAuth              BreakingKind = "AUTH_CHANGED"
	BreakAppCode           BreakingKind = "APP_CODE_REFUSED"
	BreakRequestFormat     BreakingKind = "REQUEST_FORMAT_CHANGED"
	BreakResponseFormat    BreakingKind = "RESPONSE_FORMAT_CHANGED"
	BreakAnswerShape       BreakingKind = "ANSWER_SHAPE_CHANGED"
	BreakTotal             BreakingKind = "TOTAL_REMOVED"
	BreakParameterRemoved  BreakingKind = "PARAMETER_REMOVED"
	BreakParameterNew      BreakingKind = "REQUIRED_PARAMETER_ADDED"
	BreakParameterRequired BreakingKind = "PARAMETER_REQUIRED"
	BreakParameterType     BreakingKind = "PARAMETER_TYPE_CHANGED"
	BreakParameterPosition BreakingKind = "PARAMETER_MOVED"
	BreakParameterOperator BreakingKind = "PARAMETER_OPERATOR_CHANGED"
	BreakFieldRemoved      BreakingKind = "RESPONSE_FIELD_REMOVED"
	BreakFieldType         BreakingKind = "RESPONSE_FIELD_TYPE_CHANGED"
)

// BreakingRule says which change is of a kind, and why it breaks callers.
type BreakingRule struct {
	Kind BreakingKind
	// Change is what was done to the definition, Reason what callers meet then.
	Change, Reason string
}

// BreakingRules tells of every kind of breaking change, in the order in which
// [BreakingChanges] finds them.
var BreakingRules = []BreakingRule{
	{BreakPath, "another path", "The path that callers know is not found any more."},
	{BreakMethod, "another method", "Calls with the method that callers use are refused."},
	{BreakProtocol, "a protocol less", "Calls over the protocol are refused."},
	{BreakAuth, "another way to authenticate", "Callers have other credentials than the ones that are asked for, or show credentials that nobody looks at."},
	{BreakAppCode, "an AppCode will not do any more", "Callers who send their AppCode are refused."},
	{BreakRequestFormat, "another format of request bodies", "The body that callers send cannot be read. Where there is no body before or after, there is nothing to break."},
	{BreakResponseFormat, "another format of answers", "Callers cannot read the answer."},
	{BreakAnswerShape, "paged or not, or a SQL API become a registered one or the reverse", "The rows are in another place of the answer. From wizard to script, and back, they stay where they were."},
	{BreakTotal, "pages without their total", "Callers who count by totalNum find null."},
	{BreakParameterRemoved, "a request parameter less, or one that became a constant", "Parameters that are not declared are refused."},
	{BreakParameterNew, "a new request parameter that every call needs: required, or a placeholder in the backend's path, and without a default", "Calls as they are today lack it and are refused."},
	{BreakParameterRequired, "a request parameter that every call needs now and did not need before", "Calls that leave it out are refused."},
	{BreakParameterType, "another type of a request parameter; INT to LONG, INT to DOUBLE and FLOAT to DOUBLE, and lists of them, are safe", "Values that were good are refused or mean something else. The new type of a safe change takes every value of the old one exactly; STRING is not safe for numbers, which JSON bodies write without quotes."},
	{BreakParameterPosition, "another position of a request parameter; PATH and QUERY are one, since callers pass both in the query string", "Where callers pass it, it is unknown or missing."},
	{BreakParameterOperator, "LIKE in place of another operator, or another in place of LIKE", "The same value finds other rows: % and _ mean something to LIKE alone."},
	{BreakFieldRemoved, "a response parameter less", "Callers miss it in the answer."},
	{BreakFieldType, "another type of a response parameter", "Callers read it as the type that it was declared with. There is no safe change: a program that reads a small number may not read a large one, and a schema made from the old type does not hold."},
}

// HarmlessChanges lists what callers do not have to be told of, for people to read.
var HarmlessChanges = []string{
	"a new response parameter",
	"a new request parameter that calls may leave out",
	"a default, or another default: calls that leave the parameter out are answered as before or with other rows",
	"a request parameter that is not required any more",
	"a protocol more, or an AppCode allowed",
	"SQL, table, columns, order, connection, and host and path of a backend: where the answer comes from is the API's own matter",
	"name, description, examples, samples and documented error codes",
	"timeouts, rate limits and caching",
}

// BreakingChanges compares a candidate with what is live and returns what it takes from
// callers, in a stable order; none where they can go on as they are. It looks at what
// the definitions promise and not at the rows that they answer.
func BreakingChanges(live, candidate Definition) []BreakingChange {
	c := comparison{before: live.WithDefaults(), after: candidate.WithDefaults()}
	c.address()
	c.authentication()
	c.formats()
	c.requestParameters()
	c.responseParameters()
	return c.found
}

// comparison collects what breaks callers.
type comparison struct {
	before, after Definition
	found         []BreakingChange
}

func (c *comparison) addf(kind BreakingKind, pointer, format string, args ...any) {
	c.found = append(c.found, BreakingChange{Kind: kind, Pointer: pointer, Message: fmt.Sprintf(format, args...)})
}

func (c *comparison) address() {
	if c.before.Path != c.after.Path {
		c.addf(BreakPath, "/path", "The path changes from %s to %s.", c.before.Path, c.after.Path)
	}
	if c.before.Method != c.after.Method {
		c.addf(BreakMethod, "/method", "The method changes from %s to %s.", c.before.Method, c.after.Method)
	}
	for _, p := range c.before.Protocols {
		if !oneOf(p, c.after.Protocols) {
			c.addf(BreakProtocol, "/protocols", "%s is a protocol of the API no more.", p)
		}
	}
}

func (c *comparison) authentication() {
	switch {
	case c.before.AuthType != c.after.AuthType:
		c.addf(BreakAuth, "/auth_type", "The way to authenticate changes from %s to %s.", c.before.AuthType, c.after.AuthType)
	case c.before.AllowAppCode && !c.after.AllowAppCode:
		c.addf(BreakAppCode, "/allow_app_code", "An AppCode will not do in place of a signature any more.")
	}
}

func (c *comparison) formats() {
	if c.before.readsBody() && c.after.readsBody() && c.before.RequestContentType != c.after.RequestContentType {
		c.addf(BreakRequestFormat, "/request_content_type", "The format of request bodies changes from %s to %s.", c.before.RequestContentType, c.after.RequestContentType)
	}
	if c.before.ResponseContentType != c.after.ResponseContentType {
		c.addf(BreakResponseFormat, "/response_content_type", "The format of answers changes from %s to %s.", c.before.ResponseContentType, c.after.ResponseContentType)
	}
	switch {
	case c.before.ReadsConnection() != c.after.ReadsConnection():
		c.addf(BreakAnswerShape, "/mode", "The mode changes from %s to %s, which answers in another shape.", c.before.Mode, c.after.Mode)
	case c.before.Paged() != c.after.Paged():
		c.addf(BreakAnswerShape, c.after.detail("paged"), "Answers were %s and are to be %s.", pages(c.before), pages(c.after))
	case c.after.SkipsTotal() && !c.before.SkipsTotal():
		c.addf(BreakTotal, c.after.detail("skip_total"), "Pages come without their total: totalNum is to be null.")
	}
}

// readsBody reports whether callers send a body in the definition's format.
func (d Definition) readsBody() bool { return d.Mode == ModeRegistration && d.Method.HasBody() }

// detail is the pointer of a field of the mode's own details.
func (d Definition) detail(field string) string { return Pointer(lower(d.Mode), field) }

func pages(d Definition) string {
	if d.Paged() {
		return "pages"
	}
	return "all rows at once"
}

func (c *comparison) requestParameters() {
	names := maps.Clone(c.before.RequestParameters)
	if names == nil {
		names = map[string]RequestParameter{}
	}
	maps.Copy(names, c.after.RequestParameters)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		before, passed := c.before.passed(name)
		after, passes := c.after.passed(name)
		at := Pointer("request_parameters", name)
		switch {
		case passed && passes:
			c.requestParameter(name, before, after)
		case passed && c.after.RequestParameters[name].Operator == OperatorConst:
			c.addf(BreakParameterRemoved, at+"/operator", "The request parameter %s becomes a constant, which callers cannot pass.", name)
		case passed:
			c.addf(BreakParameterRemoved, at, "The request parameter %s is removed; calls that pass it are refused.", name)
		case passes && c.after.needs(name):
			c.addf(BreakParameterNew, at, "The request parameter %s is new, and every call needs it.", name)
		}
	}
}

func (c *comparison) requestParameter(name string, before, after RequestParameter) {
	at := func(field string) string { return Pointer("request_parameters", name, field) }
	if !c.before.needs(name) && c.after.needs(name) {
		c.addf(BreakParameterRequired, at("required"), "Calls could leave the request parameter %s out and need it now.", name)
	}
	if !widens(before.Type, after.Type) {
		c.addf(BreakParameterType, at("type"), "The type of the request parameter %s changes from %s to %s.", name, before.Type, after.Type)
	}
	if before.place() != after.place() {
		c.addf(BreakParameterPosition, at("position"), "The request parameter %s moves from %s to %s.", name, before.Position, after.Position)
	}
	if before.Operator != after.Operator && (before.Operator == OperatorLike || after.Operator == OperatorLike) {
		c.addf(BreakParameterOperator, at("operator"), "The operator of the request parameter %s changes from %s to %s.", name, before.Operator, after.Operator)
	}
}

// passed returns the parameter of that name where callers can pass it.
func (d Definition) passed(name string) (RequestParameter, bool) {
	p, declared := d.RequestParameters[name]
	return p, declared && p.Operator != OperatorConst
}

// needs reports whether a call without the parameter is refused.
func (d Definition) needs(name string) bool {
	p := d.RequestParameters[name]
	inPath := d.Registration != nil && oneOf(name, backendPlaceholders(d.Registration.Path))
	return p.Default == nil && (p.Required || inPath)
}

// place is where callers pass the parameter.
func (p RequestParameter) place() Position {
	if p.Position == PositionPath {
		return PositionQuery
	}
	return p.Position
}

// widens reports whether the type after takes every value of the type before as it is.
// An INT of 32 bits is exact in a DOUBLE and not in a FLOAT; a LONG is in neither.
func widens(before, after ParameterType) bool {
	b, listBefore := before.Element()
	a, listAfter := after.Element()
	if listBefore != listAfter {
		return false
	}
	switch b {
	case a:
		return true
	case TypeInt:
		return a == TypeLong || a == TypeDouble
	case TypeFloat:
		return a == TypeDouble
	}
	return false
}

func (c *comparison) responseParameters() {
	for _, name := range slices.Sorted(maps.Keys(c.before.ResponseParameters)) {
		before := c.before.ResponseParameters[name]
		after, stays := c.after.ResponseParameters[name]
		switch {
		case !stays:
			c.addf(BreakFieldRemoved, Pointer("response_parameters", name), "The response parameter %s is removed.", name)
		case before.Type != after.Type:
			c.addf(BreakFieldType, Pointer("response_parameters", name, "type"), "The type of the response parameter %s changes from %s to %s.", name, before.Type, after.Type)
		}
	}
}

// EnvironmentBreakingChange is what a candidate takes from the callers in one environment.
type EnvironmentBreakingChange struct {
	EnvironmentID   string `json:"environment_id"`
	EnvironmentName string `json:"environment_name"`
	// Version is the name of the version that is live there.
	Version string `json:"version"`
	// Forbidden says that the environment's policy refuses to publish it.
	Forbidden bool `json:"forbidden"`
	BreakingChange
}

// CheckBreaking refuses what breaks callers where the environment forbids that:
// CodeBreakingChange with a field for each.
func (e Environment) CheckBreaking(live Version, apiName string, changes []BreakingChange) error {
	if e.BreakingChanges != BreakingForbid || len(changes) == 0 {
		return nil
	}
	err := Errorf(CodeBreakingChange,
		"%s takes something from those who call its version %s in %s, and %s forbids breaking changes. Keep what callers use, publish it as an API with a path of its own, or have an admin set breaking_changes of %s to %q.",
		apiName, live.Name, e.Name, e.Name, e.Name, BreakingWarn)
	for _, c := range changes {
		err.Fields = append(err.Fields, FieldError{Pointer: c.Pointer, Message: c.Message})
	}
	return err
}
