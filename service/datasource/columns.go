// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// answeredColumn is a column of a result, with the type that its values can be answered as.
type answeredColumn struct {
	name string
	typ  service.ParameterType
}

// Columns returns every column that the definition's SQL answers, as response parameters:
// numbers and booleans as such where the database says that they are, all else as STRING,
// which takes every column. The definition need not declare any. CodeInvalid as from
// Validate, and where two columns have one name.
func (s *Sources) Columns(ctx context.Context, d service.Definition, c service.Connection) (map[string]service.ResponseParameter, error) {
	c.ConnectionSpec = c.ConnectionSpec.WithDefaults()
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	src, err := s.sourceOf(c, false)
	if err != nil {
		return nil, err
	}
	d = d.WithDefaults()
	d.ResponseParameters = nil
	p, err := newPlan(d, src, c.Engine)
	if err != nil {
		return nil, err
	}
	found := map[string]service.ResponseParameter{}
	var v service.Invalid
	p.answered = func(columns []answeredColumn) {
		if len(found) > 0 {
			return // The other shapes of a script answer what the first one does.
		}
		for _, column := range columns {
			if _, twice := found[column.name]; twice {
				v.Addf("/script/sql", "The result has two columns %q: give one of them another name with AS.", column.name)
			}
			found[column.name] = service.ResponseParameter{Type: column.typ}
		}
	}
	if err := src.validate(ctx, p, d); err != nil {
		return nil, err
	}
	return found, v.Err("The API")
}

// tell tells who asked for it which columns a shape answers.
func (p *Plan) tell(names []string, typ func(i int) service.ParameterType) {
	if p.answered == nil {
		return
	}
	columns := make([]answeredColumn, len(names))
	for i, name := range names {
		columns[i] = answeredColumn{name, typ(i)}
	}
	p.answered(columns)
}

func pgDeclared(oid uint32) service.ParameterType {
	switch pgTypes[oid].class {
	case classInteger:
		return service.TypeLong
	case classNumber:
		return service.TypeDouble
	case classBoolean:
		return service.TypeBoolean
	}
	return service.TypeString
}

func mysqlDeclared(name string) service.ParameterType {
	switch mysqlClasses[name] {
	case mysqlInteger, mysqlDecimal, mysqlReal:
		return service.TypeDouble
	}
	return service.TypeString
}

// sqliteDeclared goes by what the column was declared as, which its values need not be:
// what is no whole number is a number at least.
func sqliteDeclared(name string) service.ParameterType {
	name = strings.ToUpper(name)
	for _, number := range []string{"INT", "REAL", "FLOAT", "DOUBLE", "NUMERIC", "DECIMAL"} {
		if strings.Contains(name, number) {
			return service.TypeDouble
		}
	}
	return service.TypeString
}
