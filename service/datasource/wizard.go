// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/internal/spelling"
	"github.com/dataservice/terraform-provider-dataservice/service"
)

// catalog is what a database tells for a wizard: the table that is asked for, or
// others where there is no such table.
type catalog struct {
	// columns are those of the table or view, in its order; none where there is none.
	columns []tableColumn
	// tables are the names of what else there is.
	tables []string
}

type tableColumn struct {
	name string
	// typ is the type in the database's words.
	typ string
	// like says that the database compares it with LIKE.
	like bool
}

// checkWizard notes where the definition's table, or a column of it, does not exist, and
// which there are.
func checkWizard(v *service.Invalid, d service.Definition, c catalog) {
	if len(c.columns) == 0 {
		v.Addf("/wizard/table", "The database has no table or view %q%s: it has %s.", d.Wizard.Table, didYouMean(d.Wizard.Table, c.tables), listOf(c.tables))
		return
	}
	columns := map[string]tableColumn{}
	names := make([]string, 0, len(c.columns))
	for _, column := range c.columns {
		columns[column.name] = column
		names = append(names, column.name)
	}
	check := func(pointer, column string) bool {
		_, known := columns[column]
		if !known {
			v.Addf(pointer, "The table %q has no column %q%s: it has %s.", d.Wizard.Table, column, didYouMean(column, names), listOf(names))
		}
		return known
	}
	for i, o := range d.Wizard.OrderBy {
		check(service.Pointer("wizard", "order_by", strconv.Itoa(i), "column"), o.Column)
	}
	for _, name := range slices.Sorted(maps.Keys(d.RequestParameters)) {
		p := d.RequestParameters[name]
		column := p.ColumnFor(name)
		if !check(columnPointer("request_parameters", name, p.Column), column) {
			continue
		}
		if p.Operator == service.OperatorLike && !columns[column].like {
			v.Addf(service.Pointer("request_parameters", name, "operator"), "LIKE compares texts, and the column %q is %s: use another operator.", column, columns[column].typ)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.ResponseParameters)) {
		p := d.ResponseParameters[name]
		check(columnPointer("response_parameters", name, p.Column), p.ColumnFor(name))
	}
}

// columnPointer points at where the column's name was written.
func columnPointer(parameters, name, column string) string {
	if column == "" {
		return service.Pointer(parameters, name)
	}
	return service.Pointer(parameters, name, "column")
}

// didYouMean points out the name that is most like the one that is not there; "" where
// none is much like it.
func didYouMean(name string, names []string) string {
	nearest, least := "", 3
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return fmt.Sprintf(" (names are case-sensitive; did you mean %q?)", n)
		}
		// A name of few letters is like every other.
		if d := spelling.Distance(name, n); d < least && d*2 < len(name) {
			nearest, least = n, d
		}
	}
	if nearest == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", nearest)
}
