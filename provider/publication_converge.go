// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// wanted is what an apply leads to.
type wanted struct {
	apiID, environmentID string
	// revision or version is what is to be live: version, where it is not "".
	revision int64
	version  string
	// connectionID is "" where the service chooses it.
	connectionID string
	remark       string
	desired      string
	// noticeTime is when a suspension happens at the latest; "" leaves it to the service.
	noticeTime string
	// apply says that the publish call is made even where the publication seems to have
	// the revision: the connection or the remark of an open application changed, or
	// what there is was made by somebody else.
	apply bool
	// renew says that the remark of an open application to restore changed, so that it
	// is made again.
	renew bool
	// from is who looks, and what was asked for before.
	from standpoint
}

func (m *publicationModel) wanted(from standpoint) wanted {
	w := wanted{
		from:  from,
		apiID: m.APIID.ValueString(), environmentID: m.EnvironmentID.ValueString(),
		connectionID: m.ConnectionID.ValueString(), remark: m.Remark.ValueString(), desired: m.DesiredStatus.ValueString(),
		noticeTime: m.NoticeTime.ValueString(),
	}
	if m.pinned {
		// A version has its own revision and connection.
		w.version, w.connectionID = m.Version.ValueString(), ""
	} else {
		w.revision = m.APIRevision.ValueInt64()
	}
	return w
}

// at reports whether the publication has, or is on the way to, what is wanted.
func (w wanted) at(p *service.Publication) bool {
	return p != nil && !w.apply && w.reached(*p)
}

func (w wanted) reached(p service.Publication) bool {
	to, ok := target(p, w.from)
	if w.version != "" {
		return ok && to.version == w.version
	}
	return ok && to.revision == w.revision && (w.connectionID == "" || w.connectionID == to.connectionID)
}

// missed says why the publication is not on the way to what is wanted although no
// call failed: the service leaves the application of somebody else as it is.
func (w wanted) missed(p service.Publication) error {
	switch open := p.OpenReview; {
	case w.reached(p) || open != nil && open.ApplicantID == w.from.memberID:
		return nil
	case open != nil:
		return fmt.Errorf("%s applied to publish %s of %s in %s, and nobody has decided yet: review %s, %s. That application stands, so %s is not where this ends. Have it cancelled by %s or a reviewer, or decided, and apply again",
			open.ApplicantName, candidate(open.Revision, open.Version), p.APIName, p.EnvironmentName, open.ID, open.URL, candidate(w.revision, w.version), open.ApplicantName)
	}
	return fmt.Errorf("somebody else changed %s in %s at the same time, and %s is not what it holds. Run plan again", p.APIName, p.EnvironmentName, candidate(w.revision, w.version))
}

// progress is how far converge came.
type progress struct {
	// publication is as the last call answered; nil where there is none.
	publication *service.Publication
	// made holds the calls that were made.
	made []service.Call
	// left holds the calls that wait for a decision.
	left []service.Call
	// lagging are the gateways that did not serve the last call in time.
	lagging []service.Laggard
	// notes are what the service said about how it understood the calls.
	notes []string
}

// publicationReview is the open application; nil where there is none.
func (p progress) publicationReview() *service.Review {
	if p.publication == nil {
		return nil
	}
	return p.publication.OpenReview
}

// published reports whether the publish call was made.
func (p progress) published() bool {
	for _, call := range p.made {
		if call == service.CallPublish {
			return true
		}
	}
	return false
}

// converge makes the calls that lead from what there is to what is wanted.
func (r *publicationResource) converge(ctx context.Context, there *service.Publication, w wanted) (progress, error) {
	done := progress{publication: there}
	row, err := rowOf(there)
	if err != nil {
		return done, err
	}
	steps := row.steps(w.desired, w.at(there))
	if len(steps) == 0 && w.renew {
		steps = row.renewal
	}
	if there != nil && there.AuthorizedApps > 0 {
		steps = publishedFirst(steps)
	}
	for i, call := range steps {
		if open := done.publicationReview(); i > 0 && open != nil && w.from.asked(*open) {
			done.left = steps[i:]
			return done, nil
		}
		if i > 0 && skips(call, *done.publication) {
			continue
		}
		p, err := r.call(ctx, call, done.publication, w)
		if err != nil {
			return done, err
		}
		done.publication, done.made = &p, append(done.made, call)
		done.lagging = p.LaggingGateways
		if p.Note != "" {
			done.notes = append(done.notes, p.Note)
		}
	}
	return done, nil
}

func (r *publicationResource) call(ctx context.Context, call service.Call, p *service.Publication, w wanted) (service.Publication, error) {
	in := service.ActionInput{Remark: w.remark}
	// After an apply every gateway answers by what was applied.
	served := client.AwaitGateways()
	switch call {
	case service.CallPublish:
		return r.backend.client.Publish(ctx, service.PublishInput{
			APIID: w.apiID, EnvironmentID: w.environmentID, Revision: w.revision, Version: w.version, ConnectionID: w.connectionID, Remark: w.remark,
		}, served)
	case service.CallSuspend:
		in.Time = w.noticeTime
		return r.backend.client.Suspend(ctx, p.ID, in, served)
	case service.CallRestore:
		return r.backend.client.Restore(ctx, p.ID, in, served)
	case service.CallCancel:
		return r.backend.client.Cancel(ctx, p.ID, in, served)
	}
	return service.Publication{}, fmt.Errorf("the call %s is not made by an apply", call)
}

// find returns the one publication of an API in an environment; nil where there is none.
func (r *publicationResource) find(ctx context.Context, apiID, environmentID string) (*service.Publication, error) {
	list, err := r.backend.client.Publications(ctx, client.PublicationFilter{APIID: apiID, EnvironmentID: environmentID}, client.Page{Limit: 1})
	if err != nil || len(list.Items) == 0 {
		return nil, err
	}
	return &list.Items[0], nil
}
