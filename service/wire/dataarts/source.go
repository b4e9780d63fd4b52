// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// How an API gets at its data; the second as the vendor spells it.
const (
	accessScript        = "SCRIPT"
	accessConfiguration = "CONFIGURAITON" //nolint:misspell // So it is.
	accessSQL           = "SQL"
)

// How an API is paged: by the service, or by what its SQL makes of its parameters.
const (
	pagedByService = "DEFAULT"
	pagedByItself  = "CUSTOM"
)

// Orders of a column.
const (
	ascending  = "ASC"
	descending = "DESC"
)

// datasourceConfig says where an API that SQL answers has its answer from.
type datasourceConfig struct {
	Type           string          `json:"type"`
	ConnectionName string          `json:"connection_name"`
	ConnectionID   string          `json:"connection_id"`
	Database       string          `json:"database"`
	Datatable      string          `json:"datatable"`
	TableID        string          `json:"table_id"`
	Queue          string          `json:"queue"`
	AccessType     string          `json:"access_type"`
	AccessMode     string          `json:"access_mode"`
	Pagination     string          `json:"pagination"`
	SQL            string          `json:"sql"`
	BackendParas   *[]conditionOf  `json:"backend_paras"`
	ResponseParas  *[]responsePara `json:"response_paras"`
	OrderParas     *[]orderPara    `json:"order_paras"`
	TotalSizeSQL   string          `json:"total_size_sql,omitempty"`
}

// conditionOf is what a parameter does to a column.
type conditionOf struct {
	Name      string `json:"name"`
	Mapping   string `json:"mapping"`
	Condition string `json:"condition"`
}

// responsePara is a column that is answered.
type responsePara struct {
	Name         string `json:"name"`
	Field        string `json:"field"`
	Type         string `json:"type"`
	Description  string `json:"description"`
	ExampleValue string `json:"example_value"`
}

// orderPara is a column that rows are sorted by.
type orderPara struct {
	Name     string `json:"name"`
	Field    string `json:"field"`
	Optional bool   `json:"optional"`
	Sort     string `json:"sort"`
	Order    int    `json:"order"`
}

// unsupported refuses what there is at the vendor alone.
func (in datasourceConfig) unsupported() error {
	switch {
	case in.Queue != "":
		return notHere("datasource_config.queue", "there are no queues")
	case in.AccessMode != "" && in.AccessMode != accessSQL:
		return notHere("datasource_config.access_mode", "data is read with SQL alone")
	case in.TotalSizeSQL != "":
		return notHere("datasource_config.total_size_sql", "a paged answer counts the rows of the API's own SQL")
	case !slices.Contains([]string{"", accessScript, accessConfiguration}, in.AccessType):
		return invalid("datasource_config.access_type", "use %s or %s", accessScript, accessConfiguration)
	case !slices.Contains([]string{"", pagedByService, pagedByItself}, in.Pagination):
		return invalid("datasource_config.pagination", "use %s or %s", pagedByService, pagedByItself)
	}
	return nil
}

// source writes where the answer comes from, of an API that SQL answers.
func (f *face) source(c *call, request apiRequest, spec *service.APISpec, fresh bool) error {
	in := request.DatasourceConfig
	if in == nil {
		if fresh {
			return missing("datasource_config")
		}
		return nil
	}
	if err := in.unsupported(); err != nil {
		return err
	}
	if in.AccessType != "" && in.AccessType != accessTypeOf(spec.Definition) {
		return invalid("datasource_config.access_type", "it does not go with the api_type")
	}
	if err := f.connection(c, *in, spec); err != nil {
		return err
	}
	if err := in.details(spec, fresh); err != nil {
		return err
	}
	if err := in.responseParameters(spec); err != nil {
		return err
	}
	return in.conditions(spec)
}

// connection writes which connection the API reads from. Its id counts where its name is
// there too.
func (f *face) connection(c *call, in datasourceConfig, spec *service.APISpec) error {
	ref := cmp.Or(in.ConnectionID, in.ConnectionName, spec.ConnectionID)
	if ref == "" {
		return missing("datasource_config.connection_id")
	}
	conn, err := f.service.Connection(c.Context(), c.Caller, ref)
	if err != nil {
		return wire.OrMissing(err, noSuch(codeOtherMissing, "The connection %s does not exist.", ref))
	}
	if in.Type != "" && !slices.Contains(sourceTypes[conn.Engine], in.Type) {
		return invalid("datasource_config.type", "the connection %s is to %s: use %s", conn.Name, conn.Engine, sourceTypes[conn.Engine][0])
	}
	if in.Database != "" && in.Database != databaseOf(conn) {
		return invalid("datasource_config.database", "the connection %s is to the database %q", conn.Name, databaseOf(conn))
	}
	spec.ConnectionID = conn.ID
	return nil
}

// sourceTypes are the vendor's names of the engines; the first is answered. The vendor's
// data warehouse is a PostgreSQL. It has no SQLite.
var sourceTypes = map[service.Engine][]string{
	service.EngineMySQL:      {"MYSQL"},
	service.EnginePostgreSQL: {"DWS", "POSTGRESQL"},
	service.EngineSQLite:     {"SQLITE"},
}

func databaseOf(c service.Connection) string { return cmp.Or(c.Database, c.File) }

func accessTypeOf(d service.Definition) string {
	if d.Mode == service.ModeScript {
		return accessScript
	}
	return accessConfiguration
}

// details writes the table or the SQL, and how it is paged and sorted. What is new is paged
// unless the request says otherwise, as it is at the vendor.
func (in datasourceConfig) details(spec *service.APISpec, fresh bool) error {
	paged := func(was *bool, skipTotal *bool) {
		*was = in.Pagination == pagedByService || in.Pagination == "" && (fresh || *was)
		*skipTotal = *skipTotal && *was
	}
	if spec.Script != nil {
		script := *spec.Script
		if in.SQL != "" && in.SQL != script.SQL && in.ResponseParas == nil {
			spec.ResponseParameters = nil // It answers other columns than it did.
		}
		script.SQL, script.Table = cmp.Or(in.SQL, script.SQL), cmp.Or(in.Datatable, script.Table)
		paged(&script.Paged, &script.SkipTotal)
		spec.Script = &script
		if in.OrderParas != nil && len(*in.OrderParas) > 0 {
			return invalid("datasource_config.order_paras", "a script sorts with its own ORDER BY")
		}
		return nil
	}
	if in.SQL != "" {
		return invalid("datasource_config.sql", "an API of this api_type reads a table; use api_type %s or %s", typeScript, typeMyBatis)
	}
	if spec.Wizard == nil {
		return nil // Which the domain refuses.
	}
	wizard := *spec.Wizard
	wizard.Table = cmp.Or(in.Datatable, wizard.Table)
	paged(&wizard.Paged, &wizard.SkipTotal)
	if in.OrderParas != nil {
		order, err := orderBy(*in.OrderParas)
		if err != nil {
			return err
		}
		wizard.OrderBy = order
	}
	spec.Wizard = &wizard
	return nil
}

func orderBy(paras []orderPara) ([]service.WizardOrder, error) {
	paras = slices.Clone(paras)
	slices.SortStableFunc(paras, func(a, b orderPara) int { return cmp.Compare(a.Order, b.Order) })
	var order []service.WizardOrder
	for _, p := range paras {
		parameter := "datasource_config.order_paras[" + p.Name + "]"
		switch {
		case p.Optional:
			return nil, notHere(parameter+".optional", "rows are always sorted, and not as callers choose")
		case p.Sort == "CUSTOM":
			return nil, notHere(parameter+".sort", "rows are not sorted as callers choose: use ASC or DESC")
		case p.Sort != "" && p.Sort != ascending && p.Sort != descending:
			return nil, invalid(parameter+".sort", "use ASC or DESC")
		}
		order = append(order, service.WizardOrder{Column: cmp.Or(p.Field, p.Name), Descending: p.Sort == descending})
	}
	return order, nil
}

// responseParameters writes the columns that are answered.
func (in datasourceConfig) responseParameters(spec *service.APISpec) error {
	if in.ResponseParas == nil {
		return nil
	}
	before := spec.ResponseParameters
	spec.ResponseParameters = map[string]service.ResponseParameter{}
	for _, p := range *in.ResponseParas {
		_, taken := spec.ResponseParameters[p.Name]
		switch {
		case p.Name == "":
			return missing("datasource_config.response_paras.name")
		case taken:
			return invalid("datasource_config.response_paras", "there are two columns %s", p.Name)
		case p.Type != typeNumber && p.Type != typeString:
			return invalid("datasource_config.response_paras["+p.Name+"].type", "use %s or %s", typeNumber, typeString)
		}
		r := before[p.Name]
		r.Type, r.Description, r.Example, r.Column = typeOnto(p.Type, r.Type), p.Description, maybe(p.ExampleValue), ""
		if p.Field != p.Name {
			r.Column = p.Field
		}
		spec.ResponseParameters[p.Name] = r
	}
	return nil
}

// operators are the conditions that there are here, by their names without prefix. IN is
// ours: the vendor has no name for it.
var operators = map[string]service.Operator{"": service.OperatorEqual, "EQ": service.OperatorEqual, "LIKE": service.OperatorLike, "IN": service.OperatorIn}

// conditions writes what the parameters do to columns. One of which nothing is said is
// compared with the column of its name.
func (in datasourceConfig) conditions(spec *service.APISpec) error {
	if in.BackendParas != nil {
		for name, p := range spec.RequestParameters {
			p.Operator, p.Column = "", ""
			spec.RequestParameters[name] = p
		}
		for _, b := range *in.BackendParas {
			if err := b.onto(spec); err != nil {
				return err
			}
		}
	}
	if spec.Mode != service.ModeWizard {
		return nil
	}
	for name, p := range spec.RequestParameters {
		element, list := p.Type.Element()
		switch {
		case p.Operator == service.OperatorIn && !list:
			p.Type += "_LIST"
		case p.Operator != service.OperatorIn && list:
			p.Type = element
		}
		spec.RequestParameters[name] = p
	}
	return nil
}

func (b conditionOf) onto(spec *service.APISpec) error {
	parameter := "datasource_config.backend_paras[" + b.Name + "]"
	p, declared := spec.RequestParameters[b.Name]
	if !declared {
		return invalid(parameter, "there is no such parameter in request_paras")
	}
	operator, known := operators[strings.TrimPrefix(b.Condition, conditionPrefix)]
	switch {
	case !known:
		return notHere(parameter+".condition", "use "+conditionPrefix+"EQ, "+conditionPrefix+"LIKE or "+conditionPrefix+"IN, or compare in a script")
	case spec.Mode == service.ModeWizard:
		p.Operator = operator
		if b.Mapping != b.Name {
			p.Column = b.Mapping
		}
	case b.Mapping != "" && b.Mapping != b.Name:
		return notHere(parameter+".mapping", "a script uses a parameter by its own name")
	case operator != service.OperatorEqual:
		return notHere(parameter+".condition", "a script compares by itself")
	}
	spec.RequestParameters[b.Name] = p
	return nil
}

// sourceOf is where an API has its answer from; nil where a backend gives it.
func (f *face) sourceOf(c *call, d service.Definition) (*datasourceConfig, error) {
	if !d.ReadsConnection() {
		return nil, nil //nolint:nilnil // None is no error.
	}
	conn, err := f.service.Connection(c.Context(), c.Caller, d.ConnectionID)
	if err != nil && service.ErrorCode(err) != service.CodeNotFound {
		return nil, err
	}
	source := &datasourceConfig{
		ConnectionName: conn.Name, ConnectionID: d.ConnectionID, Database: databaseOf(conn),
		AccessType: accessTypeOf(d), AccessMode: accessSQL, Pagination: pagedByItself,
	}
	if types := sourceTypes[conn.Engine]; len(types) > 0 {
		source.Type = types[0]
	}
	if d.Paged() {
		source.Pagination = pagedByService
	}
	order := []orderPara{}
	if w := d.Wizard; w != nil {
		source.Datatable = w.Table
		for i, o := range w.OrderBy {
			order = append(order, orderPara{Name: o.Column, Field: o.Column, Sort: sortOf(o), Order: i + 1})
		}
	}
	if s := d.Script; s != nil {
		source.Datatable, source.SQL = s.Table, s.SQL
	}
	source.TableID = strings.Join([]string{"NATIVE", d.ConnectionID, source.Database, source.Datatable}, "-")
	conditions, answered := conditionsOf(d), responseParasOf(d)
	source.OrderParas, source.BackendParas, source.ResponseParas = &order, &conditions, &answered
	return source, nil
}

func sortOf(o service.WizardOrder) string {
	if o.Descending {
		return descending
	}
	return ascending
}

// conditionsOf is what the parameters do, in the order of the names.
func conditionsOf(d service.Definition) []conditionOf {
	conditions := []conditionOf{}
	for _, name := range slices.Sorted(maps.Keys(d.RequestParameters)) {
		p := d.RequestParameters[name]
		condition := "EQ"
		if p.Operator == service.OperatorLike || p.Operator == service.OperatorIn {
			condition = string(p.Operator)
		}
		conditions = append(conditions, conditionOf{Name: name, Mapping: p.ColumnFor(name), Condition: conditionPrefix + condition})
	}
	return conditions
}

// responseParasOf is what is answered, in the order of the names.
func responseParasOf(d service.Definition) []responsePara {
	paras := []responsePara{}
	for _, name := range slices.Sorted(maps.Keys(d.ResponseParameters)) {
		p := d.ResponseParameters[name]
		paras = append(paras, responsePara{Name: name, Field: p.ColumnFor(name), Type: typeOf(p.Type), Description: p.Description, ExampleValue: text(p.Example)})
	}
	return paras
}
