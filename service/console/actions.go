// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"fmt"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// actionsOn is what the member may do with a publication where it stands, each with what it
// leads to. The service decides once more when it is asked for.
func actionsOn(p service.Publication, e service.Environment, m service.Member, now time.Time) []action {
	rights := e.Rights(m)
	var all []action
	if p.OpenReview != nil && p.OpenReview.CancelledBy(m) && p.Allows(service.CallCancel) {
		all = append(all, action{
			Name: "cancel", Title: "Take the application back", Button: "Take it back",
			Says: []string{fmt.Sprintf("The application of %s is closed, and nobody has to decide on it.", p.OpenReview.ApplicantName)},
			How:  "The action dataservice_review_cancel does it, and so does a destroy of what was never live.",
		})
	}
	if !m.MayChange(p.PrivateTo) {
		return all
	}
	if p.OpenReview == nil && p.Allows(service.CallCancel) && rights.Suspend.Way == service.WayDirect {
		all = append(all, action{
			Name: "cancel", Title: "Take back what is announced", Button: "Take it back",
			Says: []string{"The apps' notices are closed, and everything stays as it was."},
			How:  "The configuration has it published, and an apply takes the announcement back.", Terraform: configured(p, attribute{"desired_status", `"PUBLISHED"`}),
		})
	}
	if p.Allows(service.CallRestore) && rights.Restore.Way != service.WayRefused {
		restore := action{
			Name: "restore", Title: "Restore", Button: "Restore", Says: []string{"It answers calls again, at once, and every app that was authorized may call it."},
			How: "The configuration says that it is published.", Terraform: configured(p, attribute{"desired_status", `"PUBLISHED"`}),
		}
		if rights.Restore.Way == service.WayReview {
			restore.Button, restore.Says = "Apply for the restoration", []string{"A reviewer decides on that first: this makes an application."}
		}
		all = append(all, restore)
	}
	if p.Allows(service.CallSuspend) && rights.Suspend.Way == service.WayDirect {
		suspend := action{
			Name: "suspend", Title: "Suspend", Button: "Suspend", Danger: true,
			Says: []string{"Calls are refused until it is restored. Apps keep their authorizations."},
			How:  "The configuration says that it is stopped; notice_time is the time, where there is to be one.", Terraform: configured(p, attribute{"desired_status", `"STOPPED"`}),
		}
		all = append(all, suspend.noticed(p, e, "suspended", now))
	}
	if p.Allows(service.CallUnpublish) && rights.Unpublish.Way == service.WayDirect {
		unpublish := action{
			Name: "unpublish", Title: "Take offline", Button: "Take offline", Danger: true,
			Says: []string{"Calls are not answered any more, its path is free for another API, and every authorization ends. Publishing it again makes a new version, and apps have to be authorized anew."},
			How:  fmt.Sprintf("Remove the resource dataservice_publication.%s from the configuration, and apply.", p.APIName),
		}
		all = append(all, unpublish.noticed(p, e, "offline", now))
	}
	return all
}

// noticed tells of the notice that the action takes.
func (a action) noticed(p service.Publication, e service.Environment, what string, now time.Time) action {
	if p.OpenReview != nil {
		a.Says = append(a.Says, fmt.Sprintf("The application of %s that is open is cancelled.", p.OpenReview.ApplicantName))
	}
	switch p.AuthorizedApps {
	case 0:
		a.Says = append(a.Says, "No app is authorized to call it: nobody is told, and it happens at once.")
		return a
	case 1:
		a.Says = append(a.Says, "1 app is authorized to call it, and is told.")
	default:
		a.Says = append(a.Says, fmt.Sprintf("%d apps are authorized to call it, and each is told.", p.AuthorizedApps))
	}
	a.Timed, a.Earliest = true, service.EarliestDeadline(e.NoticeHours, now)
	at := a.Earliest.Format("2006-01-02 15:04 UTC")
	if e.NoticeHours == 0 {
		a.Says = append(a.Says, fmt.Sprintf("%s asks for no notice: without a time it is %s at once.", e.Name, what))
		return a
	}
	a.Says = append(a.Says, fmt.Sprintf("It is %s as soon as all have confirmed, and without a word from them at the deadline: at %s, which is the earliest that the %d hours of notice in %s allow, or later.", what, at, e.NoticeHours, e.Name))
	return a
}
