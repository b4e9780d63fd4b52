// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (c *console) auditPages(r chi.Router) {
	r.Get("/audit", c.page("audit", c.audit))
	r.Get("/audit/export", c.page("audit-export", c.exportAudit))
	r.Post("/audit/verify", c.act("audit-verify", c.verifyAudit))
}

// auditPage is a part of the audit trail, newest first.
type auditPage struct {
	refusal
	// What is looked for.
	Actor, Action, Thing, Since, Until string
	Events                             []auditRow
	Next                               string
	// JSONL and CSV are where what is looked for is exported.
	JSONL, CSV string
	// Report is what a verification found; nil before.
	Report *service.TrailReport
}

// auditRow is an event, and its detail as it is shown.
type auditRow struct {
	service.Event
	Shown string
	// Rest is where all of the detail is, where only its beginning is shown.
	Rest string
}

// eventFilter is what the address asks for.
func (v *visit) eventFilter() (lifecycle.EventFilter, error) {
	f := lifecycle.EventFilter{Actor: strings.TrimSpace(v.query("actor")), Action: strings.TrimSpace(v.query("action")), ThingID: strings.TrimSpace(v.query("thing"))}
	var err error
	if f.Since, err = parseTime("since", v.query("since")); err != nil {
		return f, err
	}
	f.Until, err = parseTime("until", v.query("until"))
	if err == nil && f.Since != nil && f.Until != nil && !f.Since.Before(*f.Until) {
		err = service.Errorf(service.CodeInvalid, "Nothing happened from %s on and before %s: swap the times, or leave one out.", v.query("since"), v.query("until"))
	}
	return f, err
}

// audit lists the audit trail.
func (c *console) audit(v *visit) error { return c.auditPage(v, nil) }

func (c *console) auditPage(v *visit, report *service.TrailReport) error {
	if err := v.caller.Member.Authorize(service.OpReadDrafts); err != nil {
		return err
	}
	p := &auditPage{Actor: v.query("actor"), Action: v.query("action"), Thing: v.query("thing"), Since: v.query("since"), Until: v.query("until"), Report: report}
	filter, err := v.eventFilter()
	before, numberErr := strconv.ParseInt("0"+v.query("after"), 10, 64)
	if err = errors.Join(err, numberErr); err != nil {
		if numberErr != nil {
			err = service.Errorf(service.CodeInvalid, "There is no such page of the trail.")
		}
		return c.showAgain(v, err, "audit", "audit", "Audit trail", p)
	}
	filter.Newest = true
	l, err := c.Service.Events(v, v.caller, filter, before, perPage)
	if err != nil {
		return err
	}
	for _, e := range l.Items {
		p.Events = append(p.Events, rowOf(e))
	}
	q := url.Values{}
	for name, value := range map[string]string{"actor": p.Actor, "action": p.Action, "thing": p.Thing, "since": p.Since, "until": p.Until} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if l.Next != "" {
		p.Next = Path + "/audit?" + q.Encode() + "&after=" + url.QueryEscape(l.Next)
	}
	p.JSONL = Path + "/audit/export?" + q.Encode()
	q.Set("format", "csv")
	p.CSV = Path + "/audit/export?" + q.Encode()
	return c.show(v, "audit", "audit", "Audit trail", p)
}

// maxDetail is how much of the detail of an event the list shows, in bytes of its page.
const maxDetail = 1000

func rowOf(e service.Event) auditRow {
	r, left := auditRow{Event: e, Shown: indented(e.Detail)}, maxDetail
	for i, letter := range r.Shown {
		if left -= len(template.HTMLEscapeString(string(letter))); left < 0 {
			r.Shown, r.Rest = r.Shown[:i], Path+"/audit/export?"+url.Values{"thing": {e.ThingID}}.Encode()
			break
		}
	}
	return r
}

func indented(detail json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, detail, "", "  ") != nil {
		return string(detail)
	}
	return b.String()
}

// verifyAudit follows the chain of the whole trail.
func (c *console) verifyAudit(v *visit) error {
	report, err := c.Service.VerifyEvents(v, v.caller)
	if err != nil {
		return err
	}
	return c.auditPage(v, &report)
}

// exportWithin is how long each page of an export may take to be sent.
const exportWithin = time.Minute

// exportAudit sends what the address asks for as a file, oldest first, as it is read.
func (c *console) exportAudit(v *visit) error {
	filter, err := v.eventFilter()
	if err != nil {
		return err
	}
	file := exportFile{w: v.w, name: fmt.Sprintf("audit-%s-%s", v.caller.Workspace.Name, time.Now().UTC().Format("20060102-150405"))}
	format := jsonLines
	if v.query("format") == "csv" {
		format = csvLines
	}
	err = c.Service.ExportEvents(context.WithoutCancel(v), v.caller, filter, 0, func(events []service.Event) error {
		return file.write(format, events)
	})
	switch {
	case err != nil && file.begun:
		// Cutting the answer off is all that is left to say that it is not complete.
		panic(http.ErrAbortHandler)
	case err != nil:
		return err
	}
	return file.write(format, nil)
}

// exportFile is a file that is sent as it is made.
type exportFile struct {
	w     http.ResponseWriter
	name  string
	begun bool
}

// exportFormat writes events; the first are at the beginning of the file.
type exportFormat struct {
	mediaType, extension string
	write                func(w http.ResponseWriter, events []service.Event, first bool) error
}

func (f *exportFile) write(format exportFormat, events []service.Event) error {
	first := !f.begun
	if first {
		h := f.w.Header()
		h.Set("Content-Type", format.mediaType)
		h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", f.name+format.extension))
		f.w.WriteHeader(http.StatusOK)
		f.begun = true
	}
	// How long it takes depends on the trail. A writer without deadlines has none to prolong.
	answer := http.NewResponseController(f.w)
	_ = answer.SetWriteDeadline(time.Now().Add(exportWithin))
	if err := format.write(f.w, events, first); err != nil {
		return err
	}
	_ = answer.Flush() // the next write tells of a reader that is gone
	return nil
}

var jsonLines = exportFormat{mediaType: "application/x-ndjson", extension: ".jsonl", write: func(w http.ResponseWriter, events []service.Event, _ bool) error {
	encoder := json.NewEncoder(w)
	for _, e := range events {
		if err := encoder.Encode(e); err != nil {
			return err
		}
	}
	return nil
}}

var csvLines = exportFormat{mediaType: "text/csv; charset=utf-8", extension: ".csv", write: func(w http.ResponseWriter, events []service.Event, first bool) error {
	lines := csv.NewWriter(w)
	if first {
		_ = lines.Write([]string{"number", "at", "actor_name", "actor_id", "action", "thing_name", "thing_id", "remote_address", "request_id", "detail", "hash"}) // Flush tells
	}
	for _, e := range events {
		_ = lines.Write([]string{
			strconv.FormatInt(e.Number, 10), e.At.UTC().Format(time.RFC3339Nano), cell(e.ActorName), e.ActorID, e.Action, cell(e.ThingName), cell(e.ThingID),
			e.RemoteAddress, cell(e.RequestID), string(e.Detail), e.Hash,
		})
	}
	lines.Flush()
	return lines.Error()
}}

// cell keeps a spreadsheet from taking a text that somebody chose for a formula.
func cell(text string) string {
	if strings.ContainsAny(text[:min(1, len(text))], "=+-@\t\r") {
		return "'" + text
	}
	return text
}
