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

// Traffic is what became of the calls that the gateway of this process answered.
type Traffic struct {
	// Gateway is that one.
	Gateway service.Gateway
	// History is the minutes of the last hour in which an API was called in an environment,
	// oldest first.
	History func(apiID, environmentID string) []service.Minute
}

// The size of a plot, in the units of its own: each minute is plotWidth/plotMinutes wide.
const (
	plotMinutes = service.TrafficMinutes
	plotWidth   = 240
	plotHeight  = 60
)

// traffic is what the page of a publication shows of its calls.
type traffic struct {
	service.Traffic
	// Gateway is that of this process.
	Gateway service.Gateway
	// From and To are the first minute of the hour, and the one that is not over yet.
	From, To             time.Time
	Calls, Client, Fault uint64
	// Half and Most are how long half of the calls of the hour took at most, and 99 of 100.
	Half, Most time.Duration
	Plots      []plot
}

// Restarted reports whether the one gateway that there is remembers less than the hour.
func (t traffic) Restarted() bool { return t.Gateways == 1 && t.Gateway.StartedAt.After(t.From) }

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
func (c *console) trafficOf(v *visit, p service.Publication) *traffic {
	if c.Traffic == nil || p.Live == nil {
		return nil
	}
	found := c.Service.Traffic(v, p, c.Traffic.History(p.APIID, p.EnvironmentID))
	return newTraffic(found, c.Traffic.Gateway, c.Service.Clock.Now())
}

// p50 and p99 are how long half of the calls of a minute took at most, and 99 of 100.
func p50(m service.Minute) time.Duration { return m.Durations.Quantile(.5) }
func p99(m service.Minute) time.Duration { return m.Durations.Quantile(.99) }

func newTraffic(found service.Traffic, g service.Gateway, now time.Time) *traffic {
	to := now.UTC().Truncate(time.Minute)
	t := &traffic{Traffic: found, Gateway: g, From: to.Add(-(plotMinutes - 1) * time.Minute), To: to}
	var most, mostErrors uint64
	var slowest, slowestHalf time.Duration
	var durations service.Durations
	for _, m := range t.Minutes {
		t.Calls += m.Calls
		t.Client += m.ClientErrors
		t.Fault += m.ServerErrors
		most = max(most, m.Calls)
		mostErrors = max(mostErrors, m.ClientErrors+m.ServerErrors)
		slowest, slowestHalf = max(slowest, p99(m)), max(slowestHalf, p50(m))
		durations.Add(m.Durations)
	}
	t.Half, t.Most = durations.Quantile(.5), durations.Quantile(.99)
	if t.Calls == 0 {
		return t
	}
	t.Plots = []plot{
		{
			Name: "plot-calls", Title: "Calls per minute", Top: strconv.FormatUint(most, 10),
			Says:   fmt.Sprintf("%s in %s of the last hour, at most %d in one.", count(t.Calls, "call"), count(uint64(len(t.Minutes)), "minute"), most),
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
			Says: fmt.Sprintf("In the hour half of the calls took at most %s, and 99 of 100 at most %s. In its slowest minutes these were %s and %s.", took(t.Half), took(t.Most), took(slowestHalf), took(slowest)),
			Series: []series{
				{"p99", "p99", t.bars(float64(slowest), func(m service.Minute) float64 { return float64(p99(m)) })},
				{"p50", "p50", t.bars(float64(slowest), func(m service.Minute) float64 { return float64(p50(m)) })},
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
