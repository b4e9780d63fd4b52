// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Kinds of API. The vendor's older two say only who answers.
const (
	typeConfiguration = "API_SPECIFIC_TYPE_CONFIGURATION"
	typeScript        = "API_SPECIFIC_TYPE_SCRIPT"
	typeMyBatis       = "API_SPECIFIC_TYPE_MYBATIS"
	typeRegister      = "API_SPECIFIC_TYPE_REGISTER"
	typeCreate        = "API_TYPE_CREATE"
	typeOldRegister   = "API_TYPE_REGISTER"
)

// foreignTypes are kinds of API that there are at the vendor alone.
var foreignTypes = []string{"API_SPECIFIC_TYPE_GROOVY", "API_SPECIFIC_TYPE_ORCHESTRATE"}

const (
	methodPrefix    = "REQUEST_TYPE_"
	protocolPrefix  = "PROTOCOL_TYPE_"
	positionPrefix  = "REQUEST_PARAMETER_POSITION_"
	conditionPrefix = "CONDITION_TYPE_"
	typeNumber      = "REQUEST_PARAMETER_TYPE_NUMBER"
	typeString      = "REQUEST_PARAMETER_TYPE_STRING"
	publishPublic   = "PUBLISH_TYPE_PUBLIC"
	publishPrivate  = "PUBLISH_TYPE_PRIVATE"
)

// apiRequest is an API as a client writes it. What an update leaves out stays as it is,
// and so does what the vendor's format cannot say.
type apiRequest struct {
	CatalogID            *string           `json:"catalog_id"`
	Name                 *string           `json:"name"`
	Description          *string           `json:"description"`
	APIType              *string           `json:"api_type"`
	AuthType             *string           `json:"auth_type"`
	Manager              *string           `json:"manager"`
	Path                 *string           `json:"path"`
	Protocol             *string           `json:"protocol"`
	RequestType          *string           `json:"request_type"`
	Visibility           *string           `json:"visibility"`
	PublishType          *string           `json:"publish_type"`
	Body                 *string           `json:"body"`
	RequestParas         *[]requestPara    `json:"request_paras"`
	DatasourceConfig     *datasourceConfig `json:"datasource_config"`
	BackendConfig        *backendConfig    `json:"backend_config"`
	RetentionPeriod      int               `json:"retention_period"`
	Tags                 []string          `json:"tags"`
	DataMaskSwitch       bool              `json:"data_mask_switch"`
	DataMaskParas        []json.RawMessage `json:"data_mask_paras"`
	DatasourceConfigList []json.RawMessage `json:"datasource_config_list"`
	GroovyContent        string            `json:"groovy_content"`
}

// requestPara is a parameter that callers of an API pass.
type requestPara struct {
	Name         string `json:"name"`
	Position     string `json:"position"`
	Type         string `json:"type"`
	Description  string `json:"description"`
	Necessary    bool   `json:"necessary"`
	ExampleValue string `json:"example_value"`
	DefaultValue string `json:"default_value"`
	SupportNull  bool   `json:"support_null,omitempty"`
}

// unsupported refuses what there is at the vendor alone.
func (in apiRequest) unsupported() error {
	switch {
	case in.RetentionPeriod != 0:
		return notHere("retention_period", "how long before an end the apps are told is set for the environment RELEASE of the cluster")
	case len(in.Tags) > 0:
		return notHere("tags", "APIs have no tags")
	case in.DataMaskSwitch || len(in.DataMaskParas) > 0:
		return notHere("data_mask_switch", "answers are not masked; leave columns out of response_paras, or mask them in the SQL")
	case len(in.DatasourceConfigList) > 0:
		return notHere("datasource_config_list", "an API reads from one connection, that of datasource_config")
	case in.GroovyContent != "":
		return notHere("groovy_content", "there are no Groovy APIs")
	case in.APIType != nil && slices.Contains(foreignTypes, *in.APIType):
		return notHere("api_type", "there are no such APIs; use "+typeConfiguration+", "+typeScript+", "+typeMyBatis+" or "+typeRegister)
	case in.Visibility != nil && (*in.Visibility == "PROJECT" || *in.Visibility == "DOMAIN"):
		return notHere("visibility", "an API is seen in its workspace: use WORKSPACE")
	case in.Visibility != nil && *in.Visibility != "" && *in.Visibility != "WORKSPACE":
		return invalid("visibility", "use WORKSPACE")
	}
	return nil
}

// mandatory names what the creation of an API lacks.
func (in apiRequest) mandatory() error {
	for _, p := range []struct {
		name  string
		value *string
	}{{"name", in.Name}, {"api_type", in.APIType}, {"auth_type", in.AuthType}, {"path", in.Path}, {"request_type", in.RequestType}} {
		if p.value == nil || *p.value == "" {
			return missing(p.name)
		}
	}
	return nil
}

// define writes what the request says onto an API; a new one is empty.
func (f *face) define(c *call, in apiRequest, spec *service.APISpec) error {
	if err := in.unsupported(); err != nil {
		return err
	}
	if err := f.checkManager(c, in.Manager); err != nil {
		return err
	}
	if in.CatalogID != nil {
		p, err := f.place(c, *in.CatalogID)
		if err != nil {
			return err
		}
		spec.GroupID, spec.FolderID = p.group.ID, p.folder.ID
	}
	set(&spec.Name, in.Name)
	set(&spec.Description, in.Description)
	set(&spec.Path, in.Path)
	if err := in.head(spec); err != nil {
		return err
	}
	before := *spec
	if err := in.mode(spec); err != nil {
		return err
	}
	if spec.Mode != before.Mode {
		// Columns and operators are those of the mode.
		spec.RequestParameters, spec.ResponseParameters = nil, nil
	}
	if err := in.requestParameters(spec); err != nil {
		return err
	}
	if spec.Mode == service.ModeRegistration {
		return in.backend(spec)
	}
	if in.Body != nil && *in.Body != "" {
		return invalid("body", "an API of this api_type is not sent a request body, which it would describe")
	}
	if !in.BackendConfig.empty() {
		return invalid("backend_config", "an API of this api_type has a datasource_config, and no backend")
	}
	return f.source(c, in, spec, spec.Mode != before.Mode)
}

// set writes what is there.
func set(to, from *string) {
	if from != nil {
		*to = *from
	}
}

// head writes who calls, and how.
func (in apiRequest) head(spec *service.APISpec) error {
	if in.AuthType != nil {
		spec.AuthType = service.AuthType(*in.AuthType)
		if spec.AuthType != service.AuthApp {
			spec.AllowAppCode = false
		}
	}
	if in.RequestType != nil {
		method, ok := strings.CutPrefix(*in.RequestType, methodPrefix)
		if !ok {
			return invalid("request_type", "use %sGET or %sPOST", methodPrefix, methodPrefix)
		}
		spec.Method = service.Method(method)
	}
	if in.Protocol != nil && (len(spec.Protocols) == 0 || *in.Protocol != protocolOf(spec.Definition)) {
		protocol, ok := strings.CutPrefix(*in.Protocol, protocolPrefix)
		if !ok {
			return invalid("protocol", "use %sHTTP or %sHTTPS", protocolPrefix, protocolPrefix)
		}
		spec.Protocols = []service.Protocol{service.Protocol(protocol)}
	}
	switch {
	case in.PublishType == nil || *in.PublishType == "":
	case *in.PublishType == publishPublic:
		spec.Visibility = service.VisibilityWorkspace
	case *in.PublishType == publishPrivate:
		spec.Visibility = service.VisibilityPrivate
	default:
		return invalid("publish_type", "use %s or %s", publishPublic, publishPrivate)
	}
	return nil
}

// mode writes how the API gets its answer, and begins its details where that is new.
func (in apiRequest) mode(spec *service.APISpec) error {
	if in.APIType == nil {
		return nil
	}
	mode, language := service.ModeWizard, service.SQLBasic
	switch *in.APIType {
	case typeConfiguration:
	case typeScript:
		mode = service.ModeScript
	case typeMyBatis:
		mode, language = service.ModeScript, service.SQLMyBatis
	case typeRegister, typeOldRegister:
		mode = service.ModeRegistration
	case typeCreate:
		if in.DatasourceConfig != nil && in.DatasourceConfig.AccessType == accessScript {
			mode = service.ModeScript
		}
	default:
		return invalid("api_type", "use %s, %s, %s or %s", typeConfiguration, typeScript, typeMyBatis, typeRegister)
	}
	if mode != spec.Mode {
		spec.Mode, spec.Wizard, spec.Script, spec.Registration = mode, nil, nil, nil
		switch mode {
		case service.ModeWizard:
			spec.Wizard = &service.Wizard{}
		case service.ModeScript:
			spec.Script = &service.Script{}
		case service.ModeRegistration:
			spec.Registration = &service.Registration{}
			spec.ConnectionID = ""
		}
	}
	if spec.Script != nil {
		script := *spec.Script
		script.SQLMode = language
		spec.Script = &script
	}
	return nil
}

// requestParameters writes what callers pass. Constants are the backend's.
func (in apiRequest) requestParameters(spec *service.APISpec) error {
	if in.RequestParas == nil {
		return nil
	}
	before := spec.RequestParameters
	spec.RequestParameters = map[string]service.RequestParameter{}
	for name, p := range before {
		if p.Operator == service.OperatorConst {
			spec.RequestParameters[name] = p
		}
	}
	for _, p := range *in.RequestParas {
		switch _, taken := spec.RequestParameters[p.Name]; {
		case p.Name == "":
			return missing("request_paras.name")
		case taken:
			return invalid("request_paras", "there are two parameters %s", p.Name)
		case p.SupportNull:
			return notHere("request_paras["+p.Name+"].support_null", "a parameter that is not passed is absent, and never NULL")
		}
		written, err := p.onto(before[p.Name])
		if err != nil {
			return err
		}
		spec.RequestParameters[p.Name] = written
	}
	return nil
}

// onto writes the parameter onto the one of its name that there was.
func (p requestPara) onto(was service.RequestParameter) (service.RequestParameter, error) {
	position, ok := strings.CutPrefix(p.Position, positionPrefix)
	if p.Position != "" && !ok {
		return was, invalid("request_paras["+p.Name+"].position", "use %sPATH, %sHEADER or %sQUERY", positionPrefix, positionPrefix, positionPrefix)
	}
	was.Position = service.Position(position)
	if p.Type != typeNumber && p.Type != typeString {
		return was, invalid("request_paras["+p.Name+"].type", "use %s or %s", typeNumber, typeString)
	}
	was.Type = typeOnto(p.Type, was.Type)
	was.Required, was.Description = p.Necessary, p.Description
	was.Example, was.Default = maybe(p.ExampleValue), maybe(p.DefaultValue)
	return was, nil
}

// maybe is nil where the text is "": clients write that for nothing.
func maybe(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func text(maybe *string) string {
	if maybe == nil {
		return ""
	}
	return *maybe
}

// typeOnto is a type as a client writes it; the one that there was where it reads alike.
func typeOnto(written string, was service.ParameterType) service.ParameterType {
	switch {
	case was != "" && typeOf(was) == written:
		return was
	case written == typeNumber:
		return service.TypeDouble
	default:
		return service.TypeString
	}
}

// typeOf is how a client reads a type: the elements' where it is a list, which callers
// write with commas.
func typeOf(t service.ParameterType) string {
	element, _ := t.Element()
	switch element {
	case service.TypeInt, service.TypeLong, service.TypeFloat, service.TypeDouble:
		return typeNumber
	}
	return typeString
}

// apiTypeOf is how a client reads a mode.
func apiTypeOf(d service.Definition) string {
	switch {
	case d.Mode == service.ModeWizard:
		return typeConfiguration
	case d.Mode == service.ModeRegistration:
		return typeRegister
	case d.Script != nil && d.Script.SQLMode == service.SQLMyBatis:
		return typeMyBatis
	}
	return typeScript
}

// protocolOf is how a client reads the protocols: HTTPS where both may be used.
func protocolOf(d service.Definition) string {
	if len(d.Protocols) == 1 {
		return protocolPrefix + string(d.Protocols[0])
	}
	return protocolPrefix + string(service.ProtocolHTTPS)
}

func publishTypeOf(v service.Visibility) string {
	if v == service.VisibilityPrivate {
		return publishPrivate
	}
	return publishPublic
}

// requestParasOf is what callers pass, in the order of the names.
func requestParasOf(d service.Definition) []requestPara {
	paras := []requestPara{}
	for _, name := range slices.Sorted(maps.Keys(d.RequestParameters)) {
		p := d.RequestParameters[name]
		if p.Operator == service.OperatorConst {
			continue
		}
		paras = append(paras, requestPara{
			Name: name, Position: positionOf(p), Type: typeOf(p.Type), Description: p.Description, Necessary: p.Required,
			ExampleValue: text(p.Example), DefaultValue: text(p.Default),
		})
	}
	return paras
}

func positionOf(p service.RequestParameter) string {
	return positionPrefix + string(cmp.Or(p.Position, service.PositionQuery))
}
