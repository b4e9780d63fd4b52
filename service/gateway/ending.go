// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"net/http"
	"strconv"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

const (
	deprecationHeader = "Deprecation"
	sunsetHeader      = "Sunset"
)

// ending is the announced end of an API, or of an app's right to call it. It never
// changes; its headers are shared by all answers.
type ending struct {
	deadline time.Time
	// offline says that nothing is left then: the API is unpublished.
	offline bool
	// deprecation says since when the end is announced (RFC 9745), sunset when it is
	// (RFC 8594).
	deprecation, sunset []string
}

func newEnding(announced, deadline time.Time) *ending {
	return &ending{
		deadline:    deadline,
		deprecation: []string{"@" + strconv.FormatInt(announced.Unix(), 10)},
		sunset:      []string{deadline.UTC().Format(http.TimeFormat)},
	}
}

// endingOf returns the announced end of a publication; nil where there is none. A
// publication is not changed between the announcement and the end.
func endingOf(p service.Publication) *ending {
	if p.Deadline == nil || p.Status != service.StatusWaitingStop && p.Status != service.StatusWaitingOffline {
		return nil
	}
	e := newEnding(p.UpdatedAt, *p.Deadline)
	e.offline = p.Status == service.StatusWaitingOffline
	return e
}

// over reports whether the end has come, by the clock that wall reads.
func (e *ending) over(wall func() time.Time) bool { return e != nil && !wall().Before(e.deadline) }

// sooner returns the one that comes first; either may be nil.
func (e *ending) sooner(other *ending) *ending {
	if e == nil || other != nil && other.deadline.Before(e.deadline) {
		return other
	}
	return e
}

// announce tells the caller in the headers of an answer.
func (e *ending) announce(h http.Header) {
	if e != nil {
		h[deprecationHeader], h[sunsetHeader] = e.deprecation, e.sunset
	}
}
