// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerEvents() {
	register(a, operation{
		method: http.MethodGet, path: base + "/events", id: "list-events", tag: tagEvents,
		summary: "List the audit trail, oldest first",
	}, a.listEvents)
	register(a, operation{
		method: http.MethodGet, path: base + "/events/export", id: "export-events", tag: tagEvents,
		summary: "Export the audit trail as JSON lines",
		description: "One event a line, oldest first, up to the newest one when the export begins. An answer that breaks off is incomplete. " +
			"The lines that admins get without a filter can be verified with `dataservice audit verify`; others get no lines that are private to another member, which a verification shows as missing.",
		produces: []string{ndjsonType},
	}, a.exportEvents)
	register(a, operation{
		method: http.MethodGet, path: base + "/events/verification", id: "verify-events", tag: tagEvents,
		summary: "Check that no event of the audit trail was removed or altered",
		description: "The service reads the whole trail of the workspace, follows its chain of hashes and compares the end with the head that it keeps apart. " +
			"Keep head_number and head_hash somewhere else: whoever can write to the service's database can make a new chain, but none that still ends with those.",
	}, a.verifyEvents)
}

// EventFilterInput narrows a list of events. huma sees exported types alone.
type EventFilterInput struct {
	Actor   string    `query:"actor" doc:"Id or name of who acted."`
	Action  string    `query:"action" doc:"How the action begins: \"publication.\" keeps everything about publications."`
	ThingID string    `query:"thing_id" doc:"Id of what it happened to."`
	Since   time.Time `query:"since" doc:"Keeps what happened from this time on (RFC 3339)."`
	Until   time.Time `query:"until" doc:"Keeps what happened before this time (RFC 3339)."`
	After   int64     `query:"after" minimum:"0" doc:"The sequence number to go on from, such as \"next\" of the page before; absent from the start."`
}

func (in EventFilterInput) filter() (lifecycle.EventFilter, error) {
	f := lifecycle.EventFilter{Actor: in.Actor, Action: in.Action, ThingID: in.ThingID}
	if !in.Since.IsZero() {
		f.Since = &in.Since
	}
	if !in.Until.IsZero() {
		f.Until = &in.Until
	}
	if f.Since != nil && f.Until != nil && !in.Since.Before(in.Until) {
		return f, service.Errorf(service.CodeInvalid, "since=%s is not before until=%s: nothing happened in between. Swap them, or leave one out.",
			in.Since.Format(time.RFC3339), in.Until.Format(time.RFC3339))
	}
	return f, nil
}

func (a *api) listEvents(ctx context.Context, c lifecycle.Caller, in *struct {
	EventFilterInput
	Limit int `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"How many events a page has at the most."`
},
) (*object[service.List[service.Event]], error) {
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	return answer(a.Service.Events(ctx, c, filter, in.After, in.Limit))
}

func (a *api) verifyEvents(ctx context.Context, c lifecycle.Caller, _ *none) (*object[service.TrailReport], error) {
	return answer(a.Service.VerifyEvents(ctx, c))
}

const ndjsonType = "application/x-ndjson"

// errDraining ends an export when the process begins to stop.
var errDraining = errors.New("the process is stopping")

// exportEvents writes page by page. How long it takes depends on the trail, so each page
// has the time that another call has for its whole answer; a client that is gone fails
// the next write.
func (a *api) exportEvents(ctx context.Context, c lifecycle.Caller, in *EventFilterInput) (*huma.StreamResponse, error) {
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(out huma.Context) {
		lines := &lineWriter{out: out, begun: false}
		err := a.Service.ExportEvents(context.WithoutCancel(ctx), c, filter, in.After, func(events []service.Event) error {
			select {
			case <-a.Draining:
				return errDraining
			default:
				return lines.write(events)
			}
		})
		switch {
		case err == nil:
			lines.begin()
		case lines.begun:
			// Cutting the answer off is all that is left to say that it is not complete.
			panic(http.ErrAbortHandler)
		case errors.Is(err, errDraining):
			writeProblemTo(out, service.Errorf(service.CodeUnavailable, "The service is stopping. Try again in a moment."))
		default:
			writeProblemTo(out, err)
		}
	}}, nil
}

// lineWriter writes events as JSON lines.
type lineWriter struct {
	out   huma.Context
	begun bool
}

func (w *lineWriter) begin() {
	if !w.begun {
		w.out.SetHeader("Content-Type", ndjsonType)
		w.out.SetStatus(http.StatusOK)
		w.begun = true
	}
}

// write writes one page and sends it.
func (w *lineWriter) write(events []service.Event) error {
	w.begin()
	body := w.out.BodyWriter()
	if answer, ok := body.(http.ResponseWriter); ok {
		// A writer without deadlines, as in a test, has none to prolong.
		_ = http.NewResponseController(answer).SetWriteDeadline(time.Now().Add(CallTimeout))
	}
	encoder := json.NewEncoder(body)
	for _, e := range events {
		if err := encoder.Encode(e); err != nil {
			return err
		}
	}
	if answer, ok := body.(http.ResponseWriter); ok {
		_ = http.NewResponseController(answer).Flush() // the next write tells of a client that is gone
	}
	return nil
}
