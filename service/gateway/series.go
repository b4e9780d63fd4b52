// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"cmp"
	"iter"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
	"github.com/dataservice/terraform-provider-dataservice/service/metric"
)

// How many of a kind have series of their own in the metrics. All others of the kind are
// summed under [metric.Other], so that nothing that members publish makes a scrape large
// without end.
const (
	// MaxAPISeries bounds the pairs of an API and an environment.
	MaxAPISeries = 1000
	// MaxEnvironmentSeries bounds the names of environments.
	MaxEnvironmentSeries = 100
	// MaxConnectionSeries bounds connections.
	MaxConnectionSeries = 200
	// MaxBackendSeries bounds backends.
	MaxBackendSeries = 200
)

// names are those of an API and of an environment, each unique in a workspace alone; empty
// for the calls that met no API.
type names struct{ api, environment string }

// callSeries is what the scrapes tell of calls. Calls know nothing of it: a scrape adds what
// the accounts have counted since the one before. So no series goes back while it is there,
// whatever routes come and go of those that are summed in it.
type callSeries struct {
	most int
	// named are the series of their own, and rest is that of all others.
	named map[names]*counted
	rest  *counted
}

// counted is how many calls there were of each result.
type counted struct {
	calls  []uint64
	served bool
}

func newCounted() *counted { return &counted{calls: make([]uint64, len(results))} }

// read adds what accounts have counted since they were read before. Names that are not served
// any more lose their series, and leave room for others.
func (s *callSeries) read(unrouted *account, served iter.Seq2[names, *account]) {
	if s.named == nil {
		s.named = map[names]*counted{{}: newCounted()}
	}
	for n, c := range s.named {
		c.served = n == names{}
	}
	for n := range served {
		if c := s.named[n]; c != nil {
			c.served = true
		}
	}
	for n, c := range s.named {
		if !c.served {
			delete(s.named, n)
		}
	}
	unrouted.tellTo(func() *counted { return s.named[names{}] })
	for n, a := range served {
		a.tellTo(func() *counted { return s.of(n) })
	}
}

// of returns the series of an API that was called.
func (s *callSeries) of(n names) *counted {
	c := s.named[n]
	switch {
	case c != nil:
		return c
	case len(s.named) <= s.most: // one of them is that of the calls that met no API
		c = newCounted()
		s.named[n] = c
		return c
	case s.rest == nil:
		s.rest = newCounted()
	}
	return s.rest
}

// tellTo adds what was counted since it was told before; an account that has nothing to tell
// asks for no series.
func (a *account) tellTo(series func() *counted) {
	var c *counted
	for i := range a.calls {
		n := a.calls[i].Load()
		if n == 0 || a.told != nil && a.told[i] == n {
			continue
		}
		if a.told == nil {
			a.told = make([]uint64, len(a.calls))
		}
		if c == nil {
			c = series()
		}
		c.calls[i] += n - a.told[i]
		a.told[i] = n
	}
}

// send sends each result that there was.
func (s *callSeries) send(ch chan<- prometheus.Metric) {
	one := func(n names, c *counted) {
		for i, count := range c.calls {
			if count > 0 {
				metricCalls.Send(ch, float64(count), n.api, n.environment, results[i], statuses[i])
			}
		}
	}
	for n, c := range s.named {
		one(n, c)
	}
	if s.rest != nil {
		one(names{metric.Other, metric.Other}, s.rest)
	}
}

// poolSeries is what the scrapes tell of the sessions with databases.
type poolSeries struct {
	most int
	// named are the ids of those that have series of their own.
	named map[string]bool
	// told is what the others have counted so far, and rest the sum of all that they ever did.
	told map[string]poolCounts
	rest poolCounts
}

type poolCounts struct{ waits, timeouts uint64 }

// send sends the series of each connection, and those of all that have none of their own
// together: those are up where each of them is. The oldest have their own.
func (s *poolSeries) send(list []datasource.Stats, ch chan<- prometheus.Metric) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b datasource.Stats) int { return cmp.Compare(a.ConnectionID, b.ConnectionID) })
	named := map[string]bool{}
	for _, one := range list {
		if s.named[one.ConnectionID] {
			named[one.ConnectionID] = true
		}
	}
	told := map[string]poolCounts{}
	others := datasource.Stats{ConnectionID: metric.Other, Connection: metric.Other, Up: true}
	for _, one := range list {
		if named[one.ConnectionID] || len(named) < s.most {
			named[one.ConnectionID] = true
			sendPool(one, ch)
			continue
		}
		others.Up = others.Up && one.Up
		others.Limit += one.Limit
		others.Open += one.Open
		others.Idle += one.Idle
		others.InUse += one.InUse
		now, before := poolCounts{one.Waits, one.WaitLimitHits}, s.told[one.ConnectionID]
		if now.waits < before.waits || now.timeouts < before.timeouts {
			before = poolCounts{} // it was opened anew
		}
		s.rest.waits += now.waits - before.waits
		s.rest.timeouts += now.timeouts - before.timeouts
		told[one.ConnectionID] = now
	}
	s.named, s.told = named, told
	if len(told) > 0 {
		others.Waits, others.WaitLimitHits = s.rest.waits, s.rest.timeouts
		sendPool(others, ch)
	}
}

func sendPool(s datasource.Stats, ch chan<- prometheus.Metric) {
	for _, v := range []struct {
		metric *metric.Metric
		value  float64
	}{
		{metricPoolUp, metric.Truth(s.Up)},
		{metricPoolLimit, float64(s.Limit)},
		{metricPoolOpen, float64(s.Open)},
		{metricPoolIdle, float64(s.Idle)},
		{metricPoolInUse, float64(s.InUse)},
		{metricPoolWaits, float64(s.Waits)},
		{metricPoolTimeouts, float64(s.WaitLimitHits)},
	} {
		v.metric.Send(ch, v.value, s.Connection, s.ConnectionID)
	}
}

// sendBackends sends the series of so many backends, and those of all others together.
func sendBackends(list []backend.Stats, most int, ch chan<- prometheus.Metric) {
	send := func(s backend.Stats) {
		metricBackendUp.Send(ch, metric.Truth(s.Up), s.Backend)
		metricBackendLimit.Send(ch, float64(s.Limit), s.Backend)
		metricBackendIdle.Send(ch, float64(s.Idle), s.Backend)
		metricBackendInUse.Send(ch, float64(s.InUse), s.Backend)
	}
	others := backend.Stats{Backend: metric.Other, Up: true}
	for i, s := range list {
		if i < most {
			send(s)
			continue
		}
		others.Up = others.Up && s.Up
		others.Limit += s.Limit
		others.Idle += s.Idle
		others.InUse += s.InUse
	}
	if len(list) > most {
		send(others)
	}
}

// series is what the scrapes remember of each other.
type series struct {
	mu    sync.Mutex
	calls callSeries
	pools poolSeries
}
