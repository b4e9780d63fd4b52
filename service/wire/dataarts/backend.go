// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// backendConfig says which backend answers.
type backendConfig struct {
	Type          string          `json:"type"`
	Protocol      string          `json:"protocol"`
	Host          string          `json:"host"`
	Timeout       int             `json:"timeout"`
	Path          string          `json:"path"`
	BackendParas  *[]backendPara  `json:"backend_paras"`
	ConstantParas *[]constantPara `json:"constant_paras"`
}

// backendPara is where a parameter goes at the backend.
type backendPara struct {
	Name            string `json:"name"`
	Position        string `json:"position"`
	BackendParaName string `json:"backend_para_name"`
}

// constantPara is what the backend gets in every call.
type constantPara struct {
	Name        string  `json:"name"`
	Type        string  `json:"type"`
	Position    string  `json:"position"`
	Description string  `json:"description"`
	Value       *string `json:"value"`
}

// empty reports whether nothing is said: clients write an empty object for that.
func (in *backendConfig) empty() bool {
	return in == nil || in.Type == "" && in.Protocol == "" && in.Host == "" && in.Timeout == 0 && in.Path == "" &&
		(in.BackendParas == nil || len(*in.BackendParas) == 0) && (in.ConstantParas == nil || len(*in.ConstantParas) == 0)
}

// backend writes which backend answers a registered API.
func (in apiRequest) backend(spec *service.APISpec) error {
	if in.DatasourceConfig != nil && (in.DatasourceConfig.ConnectionID != "" || in.DatasourceConfig.ConnectionName != "") {
		return invalid("datasource_config", "an API of this api_type has a backend_config, and no connection")
	}
	if spec.Registration == nil {
		return nil // Which the domain refuses.
	}
	r := *spec.Registration
	spec.Registration = &r
	set(&r.RequestBodyDescription, in.Body)
	b := in.BackendConfig
	if b.empty() {
		if r.Host == "" {
			return missing("backend_config")
		}
		return nil
	}
	if b.Type != "" && b.Type != methodPrefix+string(spec.Method) {
		return notHere("backend_config.type", "the backend is called with the method of the API, request_type")
	}
	if err := b.address(&r); err != nil {
		return err
	}
	if b.Timeout != 0 {
		spec.TimeoutMS = b.Timeout
	}
	if err := b.checkParameters(spec.RequestParameters); err != nil {
		return err
	}
	return b.constants(spec)
}

// address writes host and path. The vendor writes the host without its scheme, and a
// placeholder in the path in braces.
func (in *backendConfig) address(r *service.Registration) error {
	scheme, host, _ := strings.Cut(r.Host, "://")
	if in.Protocol != "" {
		protocol, ok := strings.CutPrefix(in.Protocol, protocolPrefix)
		if !ok {
			return invalid("backend_config.protocol", "use %sHTTP or %sHTTPS", protocolPrefix, protocolPrefix)
		}
		scheme = strings.ToLower(protocol)
	}
	if scheme == "" {
		return missing("backend_config.protocol")
	}
	r.Host = scheme + "://" + cmp.Or(in.Host, host)
	if in.Path != "" {
		r.Path = bracePattern.ReplaceAllString(in.Path, "[$1]")
	}
	return nil
}

var (
	bracePattern   = regexp.MustCompile(`\{([A-Za-z_][A-Za-z0-9_]*)\}`)
	bracketPattern = regexp.MustCompile(`\[([A-Za-z_][A-Za-z0-9_]*)\]`)
)

// checkParameters makes sure that the parameters go to the backend as they come.
func (in *backendConfig) checkParameters(declared map[string]service.RequestParameter) error {
	if in.BackendParas == nil {
		return nil
	}
	for _, p := range *in.BackendParas {
		parameter := "backend_config.backend_paras[" + p.Name + "]"
		request, ok := declared[p.Name]
		switch {
		case !ok || request.Operator == service.OperatorConst:
			return invalid(parameter, "there is no such parameter in request_paras")
		case p.BackendParaName != "" && p.BackendParaName != p.Name:
			return notHere(parameter+".backend_para_name", "a parameter has one name, at the backend too")
		case p.Position != "" && p.Position != positionOf(request):
			return notHere(parameter+".position", "a parameter is at the backend where callers pass it: "+positionOf(request))
		}
	}
	return nil
}

// constants writes what the backend gets in every call.
func (in *backendConfig) constants(spec *service.APISpec) error {
	if in.ConstantParas == nil {
		return nil
	}
	parameters := map[string]service.RequestParameter{}
	was := map[string]service.RequestParameter{}
	for name, p := range spec.RequestParameters {
		if p.Operator == service.OperatorConst {
			was[name] = p
		} else {
			parameters[name] = p
		}
	}
	for _, p := range *in.ConstantParas {
		parameter := "backend_config.constant_paras[" + p.Name + "]"
		_, taken := parameters[p.Name]
		switch {
		case taken && p.Value == nil && p.Type == "":
			continue // A client of the vendor's writes its parameters here once more, without a value.
		case p.Name == "":
			return missing("backend_config.constant_paras.name")
		case taken:
			return invalid(parameter, "there is another parameter of that name")
		case p.Value == nil:
			return missing(parameter + ".value")
		}
		written, err := requestPara{Name: p.Name, Position: p.Position, Type: cmp.Or(p.Type, typeString), Description: p.Description}.onto(was[p.Name])
		if err != nil {
			return invalid(parameter, "use a type and a position that request_paras can have")
		}
		written.Operator, written.Default = service.OperatorConst, p.Value
		parameters[p.Name] = written
	}
	spec.RequestParameters = parameters
	return nil
}

// backendOf is the backend that answers; nil where SQL does.
func backendOf(d service.Definition) *backendConfig {
	r := d.Registration
	if r == nil {
		return nil
	}
	scheme, host, _ := strings.Cut(r.Host, "://")
	backend := &backendConfig{
		Type: methodPrefix + string(d.Method), Protocol: protocolPrefix + strings.ToUpper(scheme), Host: host, Timeout: d.TimeoutMS,
		Path: bracketPattern.ReplaceAllString(r.Path, "{$1}"),
	}
	paras, constants := []backendPara{}, []constantPara{}
	for _, name := range slices.Sorted(maps.Keys(d.RequestParameters)) {
		p := d.RequestParameters[name]
		if p.Operator == service.OperatorConst {
			constants = append(constants, constantPara{Name: name, Type: typeOf(p.Type), Position: positionOf(p), Description: p.Description, Value: p.Default})
			continue
		}
		paras = append(paras, backendPara{Name: name, Position: positionOf(p), BackendParaName: name})
	}
	backend.BackendParas, backend.ConstantParas = &paras, &constants
	return backend
}
