// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts

import (
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

var (
	noticeStatuses = map[service.NoticeStatus]string{
		service.NoticeOpen: statusUnchecked, service.NoticeConfirmed: statusPassed, service.NoticeUnlinked: statusPassed,
		service.NoticeExecuted: statusExecuted, service.NoticeCancelled: statusCancelled,
	}
	noticeTypes = map[service.NoticeKind]string{
		service.NoticeStop: "APPLY_TYPE_STOP", service.NoticeOffline: "APPLY_TYPE_OFFLINE", service.NoticeRevoke: applyAPIEnds,
	}
)

func bodyOfNotice(n service.Notice) applicationBody {
	status := noticeStatuses[n.Status]
	if n.Status == service.NoticeOpen && n.ConfirmAt != nil {
		status = statusScheduled
	}
	return applicationBody{
		ID: n.ID, APIApplyStatus: status, APIApplyType: noticeTypes[n.Kind], APIID: n.APIID, APIName: n.APIName,
		APIUsingTime: wire.MillisOf(&n.Deadline), AppID: n.AppID, AppName: n.AppName, ApplyTime: wire.Millis(n.CreatedAt), ApprovalTime: wire.MillisOf(n.ClosedAt),
		ApproverName: n.ConfirmedBy, Comment: n.Remark, UserName: n.AnnouncedBy,
	}
}

// listMessages lists what is announced, or was, to the apps that the caller speaks for,
// newest first.
func (f *face) listMessages(c *call) (any, error) {
	filter := lifecycle.NoticeFilter{AppOwnerID: c.Member.ID}
	if c.Member.May(service.OpAllApps) {
		filter.AppOwnerID = ""
	}
	notices, err := wire.All(func(p lifecycle.Page) (service.List[service.Notice], error) {
		return f.service.Notices(c.Context(), c.Caller, filter, p)
	})
	if err != nil {
		return nil, err
	}
	found := []service.Notice{}
	for _, n := range notices {
		if like(n.APIName, c.URL.Query().Get("api_name")) {
			found = append(found, n)
		}
	}
	return listed(c, found, bodyOfNotice)
}

func (f *face) message(c *call) (any, error) {
	id := c.param("message_id")
	n, err := f.service.Notice(c.Context(), c.Caller, id)
	if err != nil {
		return nil, wire.OrMissing(err, messageMissing(id))
	}
	return bodyOfNotice(n), nil
}

func messageMissing(id string) *failure {
	return noSuch(codeOtherMissing, "The message %s does not exist.", id)
}

// What an app's side does about a message.
const (
	confirmNow  = 0
	confirmThen = 1
)

// confirm says for an app that its side is ready.
func (f *face) confirm(c *call) (any, error) {
	var in struct {
		MessageID string `json:"message_id"`
		Action    *int   `json:"action"`
		Time      string `json:"time"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	switch {
	case in.MessageID == "":
		return nil, missing("message_id")
	case in.Action == nil:
		return nil, missing("action")
	case *in.Action != confirmNow && *in.Action != confirmThen:
		return nil, invalid("action", "use 0 to confirm now, or 1 to confirm at a time")
	case *in.Action == confirmThen:
		return f.confirmAt(c, in.MessageID, in.Time)
	}
	_, err := f.service.ConfirmNotice(c.Context(), c.Caller, in.MessageID)
	return nil, wire.OrMissing(err, messageMissing(in.MessageID))
}

// usuallyConfirmed is when a message is confirmed, from now, where the request does not say.
const usuallyConfirmed = 3 * 24 * time.Hour

// confirmAt has a message confirmed at a time to come.
func (f *face) confirmAt(c *call, id, text string) (any, error) {
	at, err := moment("time", text)
	if err != nil {
		return nil, err
	}
	if at == nil {
		at = new(f.service.Clock.Now().Add(usuallyConfirmed))
	}
	_, err = f.service.ScheduleConfirmation(c.Context(), c.Caller, id, *at)
	return nil, wire.OrMissing(err, messageMissing(id))
}
