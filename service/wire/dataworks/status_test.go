// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks_test

import (
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// standing brings an API natively to a status, and returns its number.
func (h *house) standing(status service.Status, name string) string {
	h.t.Helper()
	ctx, t := h.t.Context(), h.t
	dev, rev := h.callers["dev"], h.callers["rev"]
	api := h.create(name)
	h.test("dev", api, params{"QueryParam.1.ParamKey": "who", "QueryParam.1.ParamValue": "Ada"})
	id := must(h.API(ctx, dev, api))(t).ID
	in := service.PublishInput{APIID: id, Revision: 1}
	publish := func(by string) service.Publication { return must(h.Publish(ctx, h.callers[by], in))(t) }
	authorize := func() {
		app := must(h.CreateApp(ctx, dev, service.AppInput{AppSpec: service.AppSpec{Name: name + "_app"}}))(t)
		must(h.Authorize(ctx, rev, service.AuthorizeInput{APIID: id, AppID: app.ID}))(t)
	}
	none := service.ActionInput{}
	switch status {
	case service.StatusCreated:
		must(h.Cancel(ctx, dev, publish("dev").ID, none))(t)
	case service.StatusPublishWaitReview:
		publish("dev")
	case service.StatusPublishReject:
		must(h.Reject(ctx, rev, publish("dev").OpenReview.ID, service.DecisionInput{Comment: "no"}))(t)
	case service.StatusPublished:
		publish("rev")
	case service.StatusWaitingStop:
		p := publish("rev")
		authorize()
		must(h.Suspend(ctx, rev, p.ID, none))(t)
	case service.StatusStopped:
		must(h.Suspend(ctx, rev, publish("rev").ID, none))(t)
	case service.StatusRecoverWaitReview:
		p := publish("rev")
		must(h.Suspend(ctx, rev, p.ID, none))(t)
		must(h.Restore(ctx, dev, p.ID, none))(t)
	case service.StatusWaitingOffline:
		p := publish("rev")
		authorize()
		must(h.Unpublish(ctx, rev, p.ID, none))(t)
	case service.StatusOffline:
		must(h.Unpublish(ctx, rev, publish("rev").ID, none))(t)
	}
	if p := h.publication(api); p.Status != status {
		t.Fatalf("it is %s, want %s", p.Status, status)
	}
	return api
}

// done is what becomes of a call: the status afterwards, or the code of the error.
func (h *house) done(member, action, api string) string {
	h.t.Helper()
	got := h.send(member, action, h.onAPI(api))
	for _, code := range []string{"Code", "ErrorCode"} {
		if text, refused := got.values[code].(string); refused {
			return text
		}
	}
	if action == "DeleteDataServiceApi" {
		return "deleted"
	}
	return string(h.publication(api).Status)
}

// The whole of the lifecycle's table as these calls show it. Each call starts anew.
func TestEveryCallIsAnsweredInEveryStatus(t *testing.T) {
	const (
		forbidden, illegal, missing, inUse = "Forbidden.Access", "Invalid.Tenant.ApiStatus", "Invalid.Tenant.ApiNotPublished", "Invalid.Tenant.InUse"
		deleted                            = "deleted"
	)
	type row struct{ submitDev, submitRev, publishDev, publishRev, abolish, remove, read string }
	live := row{"PUBLISHED", "PUBLISHED", "PUBLISHED", "PUBLISHED", "OFFLINE", inUse, "1"}
	idle := func(status service.Status) row {
		return row{"PUBLISH_WAIT_REVIEW", string(status), forbidden, "PUBLISHED", missing, deleted, missing}
	}
	table := map[service.Status]row{
		service.StatusCreated:           idle(service.StatusCreated),
		service.StatusPublishWaitReview: {"PUBLISH_WAIT_REVIEW", illegal, forbidden, illegal, missing, inUse, missing},
		// The same is not applied for again.
		service.StatusPublishReject: {illegal, "PUBLISH_REJECT", illegal, "PUBLISHED", missing, deleted, missing},
		service.StatusPublished:     live,
		// What is live is published, and its announced end stays announced.
		service.StatusWaitingStop:       {illegal, illegal, illegal, illegal, forbidden, inUse, "1"},
		service.StatusStopped:           {"STOPPED", illegal, illegal, illegal, "OFFLINE", inUse, "0"},
		service.StatusRecoverWaitReview: {illegal, illegal, illegal, illegal, "OFFLINE", inUse, "0"},
		service.StatusWaitingOffline:    {illegal, illegal, illegal, illegal, illegal, inUse, "1"},
		service.StatusOffline:           idle(service.StatusOffline),
	}
	h := newHouse(t)
	n := 0
	for _, status := range service.Statuses {
		want := table[status]
		for _, call := range []struct{ member, action, want string }{
			{"dev", "SubmitDataServiceApi", want.submitDev},
			{"rev", "SubmitDataServiceApi", want.submitRev},
			{"dev", "PublishDataServiceApi", want.publishDev},
			{"rev", "PublishDataServiceApi", want.publishRev},
			{"rev", "AbolishDataServiceApi", want.abolish},
			{"dev", "DeleteDataServiceApi", want.remove},
		} {
			t.Run(string(status)+", "+call.action+" by "+call.member, func(t *testing.T) {
				h.t = t
				n++
				api := h.standing(status, "people_"+string(rune('a'+n/26))+string(rune('a'+n%26)))
				read := h.send("dev", "GetDataServicePublishedApi", h.onAPI(api))
				shown, _ := read.values["ErrorCode"].(string)
				if shown == "" {
					shown = number(read.data("Status"))
				}
				if shown != want.read {
					t.Errorf("it is read as %s, want %s", shown, want.read)
				}
				if got := h.done(call.member, call.action, api); got != call.want {
					t.Errorf("it ends with %s, want %s", got, call.want)
				}
			})
		}
	}
}
