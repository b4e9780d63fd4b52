// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
)

// plan runs a compiled definition; *[datasource.Plan] is the one there is.
type plan interface {
	Run(ctx context.Context, dst []byte, call datasource.Call) ([]byte, error)
}

// route is one publication that is served. It never changes.
type route struct {
	publicationID   string
	apiID, apiName  string
	instanceID      string
	environmentID   string
	environmentName string
	connectionID    string
	// version is the name of the one that is called.
	version string
	method  service.Method
	path    string
	timeout time.Duration

	plan       plan
	paged      bool
	parameters []parameter
	// index finds a parameter by name.
	index map[string]int
	// proxy is there in place of the plan where a backend answers.
	proxy *proxy

	surroundings

	// suspended says that calls are told so, and not answered.
	suspended bool
	// broken is why there is no plan, where there is none: such a route answers 503
	// and leaves the others alone.
	broken error
}

// surroundings are what stands around the calls of a route in a gateway. The zero
// value, which a test call has, allows everything and counts nothing.
type surroundings struct {
	// protocol is the one that the API may be called over; "" where any will do.
	protocol service.Protocol
	// account has the API's own limit and its counters, environment the limit of all
	// APIs there.
	account     *account
	environment *bucket
	// callerRate is the limit of each caller; nil where there is none.
	callerRate *rate
	// cacheTTL is how long an answer may be given again, and cacheID the route's number
	// in the keys of its answers.
	cacheTTL time.Duration
	cacheID  uint64
	// guard says who may call; nil where anybody may.
	guard *guard
	// ending is there where the API's suspension or unpublishing was announced.
	ending   *ending
	duration prometheus.Observer
}

// planner makes a plan of a definition for its connection.
type planner func(service.Definition, service.Connection) (*datasource.Plan, error)

// newRoute compiles the live version of a publication; what is suspended needs no plan.
// The connection is that of the version; missing is why it could not be read.
func newRoute(plan planner, backends *backend.Client, p service.Publication, c service.Connection, missing error) *route {
	d := p.Live.Definition.WithDefaults()
	rt := &route{
		publicationID:   p.ID,
		apiID:           p.APIID,
		apiName:         p.APIName,
		instanceID:      p.InstanceID,
		environmentID:   p.EnvironmentID,
		environmentName: p.EnvironmentName,
		version:         p.Live.Name,
		method:          d.Method,
		path:            d.Path,
		timeout:         time.Duration(d.TimeoutMS) * time.Millisecond,
		suspended:       !p.Callable(),
	}
	if rt.suspended {
		return rt
	}
	rt.connectionID, rt.broken = p.Live.ConnectionID, missing
	switch {
	case missing != nil:
	case d.ReadsConnection():
		rt.broken = rt.compile(plan, d, c)
	default:
		rt.broken = rt.register(backends, d)
	}
	return rt
}

func (rt *route) compile(plan planner, d service.Definition, c service.Connection) error {
	compiled, err := plan(d, c)
	if err != nil {
		return err
	}
	rt.plan, rt.paged = compiled, compiled.Paged()
	declared := compiled.Parameters()
	rt.parameters = make([]parameter, len(declared))
	rt.index = make(map[string]int, len(declared))
	for i, p := range declared {
		rt.parameters[i] = parameter{name: p.Name, kind: p.Type, required: p.Required, value: p.Default}
		rt.index[p.Name] = i
	}
	return nil
}
