// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// stageHeader is the header, in its canonical form, that names the environment of a call.
const stageHeader = "X-Stage"

// table is every route that is served. It never changes: [table.replace] makes the
// next one, sharing what stays the same.
type table struct {
	// environments by id: names belong to an instance, of which there may be several.
	environments map[string]*environment
	// stages are the environments by name.
	stages map[string]*environment
}

// environment is the routes of one environment; it never changes either.
type environment struct {
	id, name string
	paths    map[string]*endpoint
}

// endpoint is what is published at one path: a route per method.
type endpoint struct {
	routes []*route
	allow  []string
}

var emptyTable = &table{}

// find returns the route of a request.
func (t *table) find(r *http.Request) (*route, *failure) {
	stage := service.ReleaseEnvironmentName
	if sent := r.Header[stageHeader]; len(sent) > 0 {
		stage = sent[0]
	}
	env, ok := t.stages[stage]
	if !ok && stage == service.ReleaseEnvironmentName {
		return nil, noAPI(stage)
	}
	if !ok {
		// The same sentence whether the environment does not exist or is empty: callers
		// need not be members, and learn nothing of what is not published.
		return nil, failf(errNoStage, "", "Nothing is published in an environment %s: set the header %s to another name, or leave it out to call %s.", echo(stage), stageHeader, service.ReleaseEnvironmentName)
	}
	at, ok := env.paths[r.URL.Path]
	// An escaped slash is another path than a slash, though both decode alike.
	if !ok || r.URL.RawPath != "" && strings.Contains(strings.ToUpper(r.URL.RawPath), "%2F") {
		return nil, noAPI(env.name)
	}
	for _, rt := range at.routes {
		if string(rt.method) == r.Method {
			return rt, nil
		}
	}
	f := failf(errMethodNotAllowed, "", "The API at this path is called with %s.", at.allow[0])
	f.allow = at.allow
	return nil, f
}

func noAPI(environment string) *failure {
	return failf(errNoAPI, "", "No API is published at this path in %s: check the path and the header %s.", environment, stageHeader)
}

// routes ranges over every route.
func (t *table) routes(yield func(*route) bool) {
	for _, env := range t.environments {
		for _, at := range env.paths {
			for _, rt := range at.routes {
				if !yield(rt) {
					return
				}
			}
		}
	}
}

// replace returns the table without the routes of remove and with those of add.
// A route of remove that another has taken the place of stays replaced.
func (t *table) replace(remove, add []*route) *table {
	next := &table{environments: maps.Clone(t.environments), stages: map[string]*environment{}}
	if next.environments == nil {
		next.environments = map[string]*environment{}
	}
	fresh := map[string]bool{}
	edit := func(id string) *environment {
		env := next.environments[id]
		switch {
		case fresh[id]:
			return env
		case env == nil:
			env = &environment{id: id, paths: map[string]*endpoint{}}
		default:
			env = &environment{id: id, name: env.name, paths: maps.Clone(env.paths)}
		}
		fresh[id] = true
		next.environments[id] = env
		return env
	}
	for _, rt := range remove {
		edit(rt.environmentID).put(rt, nil)
	}
	for _, rt := range add {
		env := edit(rt.environmentID)
		env.name = rt.environmentName
		env.put(nil, rt)
	}
	for id := range fresh {
		if len(next.environments[id].paths) == 0 {
			delete(next.environments, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(next.environments)) {
		env := next.environments[id]
		if _, taken := next.stages[env.name]; !taken {
			next.stages[env.name] = env
		}
	}
	return next
}

// put takes old out of its path and sets rt at its own; either may be nil.
func (e *environment) put(old, rt *route) {
	at := cmp.Or(rt, old)
	var routes []*route
	if now := e.paths[at.path]; now != nil {
		routes = slices.DeleteFunc(slices.Clone(now.routes), func(r *route) bool {
			return r == old || rt != nil && r.method == rt.method
		})
	}
	if rt != nil {
		routes = append(routes, rt)
	}
	if len(routes) == 0 {
		delete(e.paths, at.path)
		return
	}
	slices.SortFunc(routes, func(a, b *route) int { return cmp.Compare(a.method, b.method) })
	methods := make([]string, len(routes))
	for i, r := range routes {
		methods[i] = string(r.method)
	}
	e.paths[at.path] = &endpoint{routes: routes, allow: []string{strings.Join(methods, ", ")}}
}
