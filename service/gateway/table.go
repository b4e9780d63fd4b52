// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"cmp"
	"hash/maphash"
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
	// environments by id.
	environments map[string]*environment
	// stages are the environments by instance and name.
	stages map[stageKey]*environment
	hosts  hosts
}

// stageKey is what the host and the header X-Stage of a call come to.
type stageKey struct{ instanceID, name string }

// environment is the routes of one environment; it never changes either.
type environment struct {
	id, name, instanceID string
	// endpoints by path, in shards by the path's hash: a change copies one shard alone.
	shards [pathShards]map[string]*endpoint
}

// pathShards is chosen for tens of thousands of paths: BenchmarkReplace10k.
const pathShards = 128

var pathSeed = maphash.MakeSeed()

func shardOf(path string) uint64 { return maphash.String(pathSeed, path) % pathShards }

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
	env, ok := t.stages[stageKey{t.hosts.instance(r.Host), stage}]
	if !ok && stage == service.ReleaseEnvironmentName {
		return nil, noAPI(stage)
	}
	if !ok {
		// The same sentence whether the environment does not exist or is empty: callers
		// need not be members, and learn nothing of what is not published.
		return nil, failf(errNoStage, "", "Nothing is published in an environment %s: set the header %s to another name, or leave it out to call %s.", echo(stage), stageHeader, service.ReleaseEnvironmentName)
	}
	at, ok := env.shards[shardOf(r.URL.Path)][r.URL.Path]
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
		if !env.routes(yield) {
			return
		}
	}
}

// routesIn ranges over those of an environment.
func (t *table) routesIn(environmentID string) func(func(*route) bool) {
	return func(yield func(*route) bool) {
		if env := t.environments[environmentID]; env != nil {
			env.routes(yield)
		}
	}
}

// routes reports whether each route was asked for.
func (e *environment) routes(yield func(*route) bool) bool {
	for _, paths := range e.shards {
		for _, at := range paths {
			for _, rt := range at.routes {
				if !yield(rt) {
					return false
				}
			}
		}
	}
	return true
}

// replace returns the table without the routes of remove and with those of add.
// A route of remove that another has taken the place of stays replaced.
func (t *table) replace(remove, add []*route) *table {
	next := &table{environments: maps.Clone(t.environments), stages: t.stages, hosts: t.hosts}
	if next.environments == nil {
		next.environments = map[string]*environment{}
	}
	edited := map[string]*edition{}
	edit := func(id string) *edition {
		e := edited[id]
		if e == nil {
			e = &edition{environment: environment{id: id}}
			if now := t.environments[id]; now != nil {
				e.environment = *now
			}
			edited[id] = e
			next.environments[id] = &e.environment
		}
		return e
	}
	for _, rt := range remove {
		edit(rt.environmentID).put(rt, nil)
	}
	for _, rt := range add {
		env := edit(rt.environmentID)
		env.name, env.instanceID = rt.environmentName, rt.instanceID
		env.put(nil, rt)
	}
	for id, e := range edited {
		if e.empty() {
			delete(next.environments, id)
		}
	}
	next.stages = stagesOf(next.environments)
	return next
}

// withHosts returns the table that knows the instances by these names.
func (t *table) withHosts(h hosts) *table {
	next := *t
	next.hosts = h
	return &next
}

// stagesOf finds the environments by what callers say. While two of an instance swap
// their names, the older one may be found by both.
func stagesOf(environments map[string]*environment) map[stageKey]*environment {
	stages := make(map[stageKey]*environment, len(environments))
	for _, env := range environments {
		key := stageKey{env.instanceID, env.name}
		if other := stages[key]; other == nil || env.id < other.id {
			stages[key] = env
		}
	}
	return stages
}

// edition is an environment while it is put together. Its shards are the old
// environment's until they change.
type edition struct {
	environment
	own [pathShards]bool
}

// shard returns the paths with that hash, to be changed.
func (e *edition) shard(path string) map[string]*endpoint {
	i := shardOf(path)
	if !e.own[i] {
		e.own[i] = true
		if e.shards[i] = maps.Clone(e.shards[i]); e.shards[i] == nil {
			e.shards[i] = map[string]*endpoint{}
		}
	}
	return e.shards[i]
}

func (e *edition) empty() bool {
	for _, paths := range e.shards {
		if len(paths) > 0 {
			return false
		}
	}
	return true
}

// put takes old out of its path and sets rt at its own; either may be nil.
func (e *edition) put(old, rt *route) {
	at := cmp.Or(rt, old)
	paths := e.shard(at.path)
	var routes []*route
	if now := paths[at.path]; now != nil {
		routes = slices.DeleteFunc(slices.Clone(now.routes), func(r *route) bool {
			return r == old || rt != nil && r.method == rt.method
		})
	}
	if rt != nil {
		routes = append(routes, rt)
	}
	if len(routes) == 0 {
		delete(paths, at.path)
		return
	}
	slices.SortFunc(routes, func(a, b *route) int { return cmp.Compare(a.method, b.method) })
	methods := make([]string, len(routes))
	for i, r := range routes {
		methods[i] = string(r.method)
	}
	paths[at.path] = &endpoint{routes: routes, allow: []string{strings.Join(methods, ", ")}}
}
