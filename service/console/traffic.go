// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Traffic is what became of the calls that a gateway answered.
type Traffic struct {
	// Gateway is that one. It tells of its own calls alone.
	Gateway service.Gateway
	// History is the minutes of the last hour in which an API was called in an environment,
	// oldest first.
	History func(apiID, environmentID string) []service.Minute
}

// The size of a plot, in the units of its own: each minute is plotWidth/plotMinutes wide.
const (
	plotMinutes = 60
	plotWidth   = 240
	plotHeight  = 60
)

// traffic is what the page of a publication shows of its calls.
type traffic struct {
	Gateway service.Gateway
	// From and To are the first minute of the hour, and the one that is not over yet.
	From, To             time.Time
	Calls, Client, Fault uint64
	Minutes              []service.Minute
	Plots                []plot
}

// Restarted reports whether the gateway remembers less than the hour.
func (t traffic) Restarted() bool { return t.Gateway.StartedAt.After(t.From) }

// plot is a small chart: a bar for each minute and each of its series.
type plot struct {
	// Name is that of its elements, Title what it shows, and Says the same in words.
	Name, Title, Says string
	// Top is what its upper edge stands for.
	Top    string
	Series []series
}

// series are the bars of one colour.
type series struct {
	// Class is that of its colour, Title what it is, and Path its bars.
	Class, Title, Path string
}

// trafficOf is what became of the calls of a publication; nil where nobody knows, or
// nothing of it was ever live.
func (c *console) trafficOf(p service.Publication) *traffic {
	if c.Traffic == nil || p.Live == nil {
		return nil
	}
	return newTraffic(c.Traffic.Gateway, c.Traffic.History(p.APIID, p.EnvironmentID), c.Service.Clock.Now())
}

func newTraffic(g service.Gateway, minutes []service.Minute, now time.Time) *traffic {
	to := now.UTC().Truncate(time.Minute)
	t := &traffic{Gateway: g, From: to.Add(-(plotMinutes - 1) * time.Minute), To: to, Minutes: minutes}
	var most, mostErrors uint64
	var slowest, slowestHalf time.Duration
	for _, m := range minutes {
		t.Calls += m.Calls
		t.Client += m.ClientErrors
		t.Fault += m.ServerErrors
		most = max(most, m.Calls)
		mostErrors = max(mostErrors, m.ClientErrors+m.ServerErrors)
		slowest, slowestHalf = max(slowest, m.P99), max(slowestHalf, m.P50)
	}
	if t.Calls == 0 {
		return t
	}
	t.Plots = []plot{
		{
			Name: "plot-calls", Title: "Calls per minute", Top: strconv.FormatUint(most, 10),
			Says:   fmt.Sprintf("%s in %s of the last hour, at most %d in one.", count(t.Calls, "call"), count(uint64(len(minutes)), "minute"), most),
			Series: []series{{"calls", "calls", t.bars(float64(most), func(m service.Minute) float64 { return float64(m.Calls) })}},
		},
		{
			Name: "plot-errors", Title: "Errors per minute", Top: strconv.FormatUint(mostErrors, 10),
			Says: fmt.Sprintf("%s of callers, with a status from 400 on, and %s of the service or its backend, from 500 on.", count(t.Client, "error"), count(t.Fault, "error")),
			Series: []series{
				{"client", "4xx", t.bars(float64(mostErrors), func(m service.Minute) float64 { return float64(m.ClientErrors + m.ServerErrors) })},
				{"fault", "5xx", t.bars(float64(mostErrors), func(m service.Minute) float64 { return float64(m.ServerErrors) })},
			},
		},
		{
			Name: "plot-durations", Title: "How long calls took", Top: took(slowest),
			Says: fmt.Sprintf("In the slowest minutes half of the calls took at most %s, and 99 of 100 at most %s.", took(slowestHalf), took(slowest)),
			Series: []series{
				{"p99", "p99", t.bars(float64(slowest), func(m service.Minute) float64 { return float64(m.P99) })},
				{"p50", "p50", t.bars(float64(slowest), func(m service.Minute) float64 { return float64(m.P50) })},
			},
		},
	}
	return t
}

// bars draws the minutes, with top at the upper edge. What is more than nothing is seen.
func (t *traffic) bars(top float64, value func(service.Minute) float64) string {
	const width = plotWidth / plotMinutes
	var path strings.Builder
	for _, m := range t.Minutes {
		v, at := value(m), int(m.At.Sub(t.From)/time.Minute)
		if v <= 0 || at < 0 || at >= plotMinutes {
			continue
		}
		high := max(v/top*plotHeight, 1)
		fmt.Fprintf(&path, "M%d %dv-%.1fh%dv%.1fz", at*width, plotHeight, high, width-1, high)
	}
	return path.String()
}

func count(n uint64, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return strconv.FormatUint(n, 10) + " " + of + "s"
}

// took writes a duration with two digits, more than which it is not known to.
func took(d time.Duration) string {
	unit, name := time.Millisecond, "ms"
	if d >= time.Second {
		unit, name = time.Second, "s"
	}
	n := float64(d) / float64(unit)
	switch {
	case n >= 10:
		return fmt.Sprintf("%.0f %s", n, name)
	case n >= 1:
		return fmt.Sprintf("%.1f %s", n, name)
	default:
		return fmt.Sprintf("%.2f %s", n, name)
	}
}
