// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerPublications() {
	const path = base + "/publications"
	register(a, operation{
		method: http.MethodPost, path: path, id: "publish", tag: tagPublications,
		summary:     "Publish a revision of an API to an environment, or switch back to a version",
		description: "The answer is the publication as it stands then: PUBLISHED, or with an open review where one is needed.",
	}, a.publish)
	register(a, operation{
		method: http.MethodPost, path: path + "/batch", id: "publish-batch", tag: tagPublications,
		summary: "Publish several APIs",
		description: "Each item is what a single publish takes, is done in a transaction of its own, and is answered by itself, in the same order: with the publication, or with the problem document that a single publish would answer. " +
			"The answer is 200 whatever became of the items. The Idempotency-Key covers each item by its place: a batch that is sent again does not do twice what it did. With wait=gateways there is one wait, after the last item, and each publication has its own lagging_gateways.",
	}, a.publishBatch)
	register(a, operation{
		method: http.MethodGet, path: path, id: "list-publications", tag: tagPublications,
		summary: "List publications",
	}, a.listPublications)
	register(a, operation{
		method: http.MethodGet, path: path + "/{id}", id: "get-publication", tag: tagPublications,
		summary: "Read a publication, or wait until nothing is open on it",
	}, a.getPublication)
	register(a, operation{
		method: http.MethodDelete, path: path + "/{id}", id: "delete-publication", tag: tagPublications,
		summary: "Delete the record of a publication", description: "Possible when it is CREATED, PUBLISH_REJECT or OFFLINE.",
	}, a.deletePublication)
	register(a, operation{
		method: http.MethodGet, path: path + "/{id}/versions", id: "list-versions", tag: tagPublications,
		summary: "List the versions of a publication, newest first",
	}, a.listVersions)
	register(a, operation{
		method: http.MethodGet, path: path + "/{id}/versions/compare", id: "compare-versions", tag: tagPublications,
		summary: "Compare two versions of a publication", description: "What is different in their definitions, and what a switch from the one to the other takes from callers.",
	}, a.compareVersions)
	register(a, operation{
		method: http.MethodGet, path: path + "/{id}/versions/{version}", id: "get-version", tag: tagPublications,
		summary: "Read a version of a publication",
	}, a.getVersion)
	register(a, operation{
		method: http.MethodPost, path: path + "/{id}/suspend", id: "suspend", tag: tagPublications,
		summary: "Suspend a publication",
	}, a.actionServed(a.Service.Suspend))
	register(a, operation{
		method: http.MethodPost, path: path + "/{id}/restore", id: "restore", tag: tagPublications,
		summary: "Restore a suspended publication", description: "Goes to review where the member publishes with one.",
	}, a.actionServed(a.Service.Restore))
	register(a, operation{
		method: http.MethodPost, path: path + "/{id}/unpublish", id: "unpublish", tag: tagPublications,
		summary: "Take a publication offline",
	}, a.actionServed(a.Service.Unpublish))
	register(a, operation{
		method: http.MethodPost, path: path + "/{id}/cancel", id: "cancel", tag: tagPublications,
		summary: "Cancel the open application or the announced suspension or unpublishing",
	}, a.actionServed(a.Service.Cancel))
}

func (a *api) publish(ctx context.Context, c lifecycle.Caller, in *struct {
	BodyInput[service.PublishInput]
	GatewaysInput
},
) (*object[service.Publication], error) {
	p, err := a.Service.Publish(ctx, c, in.Body)
	return a.served(ctx, in.GatewaysInput, p, err)
}

func (a *api) publishBatch(ctx context.Context, c lifecycle.Caller, in *struct {
	BodyInput[service.PublishBatchInput]
	GatewaysInput
},
) (*object[service.List[service.PublishOutcome]], error) {
	published, err := a.Service.PublishBatch(ctx, c, in.Body)
	if err != nil {
		return nil, err
	}
	if in.Wait != "" {
		waiting, stop := a.untilDraining(ctx)
		defer stop()
		a.Service.AwaitGatewaysOf(waiting, published)
	}
	outcomes := make([]service.PublishOutcome, len(published))
	for i, p := range published {
		if p.Err != nil {
			outcomes[i].Error = problemOfItem(ctx, p.Err)
			continue
		}
		outcomes[i].Publication = &p.Publication
	}
	return answer(service.List[service.PublishOutcome]{Items: outcomes}, nil)
}

func (a *api) listPublications(ctx context.Context, c lifecycle.Caller, in *struct {
	APIID         string         `query:"api_id" doc:"Only those of this API."`
	EnvironmentID string         `query:"environment_id" doc:"Only those in this environment."`
	Status        service.Status `query:"status" enum:"CREATED,PUBLISH_WAIT_REVIEW,PUBLISH_REJECT,PUBLISHED,WAITING_STOP,STOPPED,RECOVER_WAIT_REVIEW,WAITING_OFFLINE,OFFLINE" doc:"Only those in this status."`
	PageInput
},
) (*object[service.List[service.Publication]], error) {
	filter := lifecycle.PublicationFilter{APIID: in.APIID, EnvironmentID: in.EnvironmentID, Status: in.Status}
	return answer(a.Service.Publications(ctx, c, filter, in.page()))
}

func (a *api) getPublication(ctx context.Context, c lifecycle.Caller, in *struct {
	IDInput
	Wait string `query:"wait" doc:"Wait until nothing is open any more, but at the most this long: a duration such as 30s, up to 60s. Or \"gateways\": wait until every live gateway serves what the publication is now, 10 s at the most; lagging_gateways names those that do not."`
},
) (*object[service.Publication], error) {
	if in.Wait == waitForGateways {
		p, err := a.Service.Publication(ctx, c, in.ID, 0)
		return a.served(ctx, GatewaysInput{in.Wait}, p, err)
	}
	return answer(poll(ctx, a, WaitInput{in.Wait}, func(ctx context.Context, wait time.Duration) (service.Publication, error) {
		return a.Service.Publication(ctx, c, in.ID, wait)
	}))
}

func (a *api) deletePublication(ctx context.Context, c lifecycle.Caller, in *IDInput) (*none, error) {
	return answerNothing(a.Service.DeletePublication(ctx, c, in.ID))
}

func (a *api) listVersions(ctx context.Context, c lifecycle.Caller, in *IDInput) (*object[service.List[service.Version]], error) {
	versions, err := a.Service.Versions(ctx, c, in.ID)
	if versions == nil {
		versions = []service.Version{} // [] on the wire, not null
	}
	return answer(service.List[service.Version]{Items: versions}, err)
}

func (a *api) getVersion(ctx context.Context, c lifecycle.Caller, in *struct {
	IDInput
	Version string `path:"version" doc:"Name of the version, such as V3."`
},
) (*object[service.Version], error) {
	return answer(a.Service.VersionOf(ctx, c, in.ID, in.Version))
}

func (a *api) compareVersions(ctx context.Context, c lifecycle.Caller, in *struct {
	IDInput
	From string `query:"from" required:"true" doc:"Name of a version, such as V1."`
	To   string `query:"to" required:"true" doc:"Name of the version to compare it with, such as V2."`
},
) (*object[service.Comparison], error) {
	return answer(a.Service.CompareVersions(ctx, c, in.ID, in.From, in.To))
}

// actionInput is the input of a call on one thing.
type actionInput struct {
	IDInput
	BodyInput[service.ActionInput]
}

// actionServed makes the handler of a call that changes what gateways serve of a publication.
func (a *api) actionServed(do func(context.Context, lifecycle.Caller, string, service.ActionInput) (service.Publication, error)) func(context.Context, lifecycle.Caller, *servedInput) (*object[service.Publication], error) {
	return func(ctx context.Context, c lifecycle.Caller, in *servedInput) (*object[service.Publication], error) {
		p, err := do(ctx, c, in.ID, in.Body)
		return a.served(ctx, in.GatewaysInput, p, err)
	}
}

// servedInput is the input of suspend, restore, unpublish and cancel of a publication.
type servedInput struct {
	IDInput
	BodyInput[service.ActionInput]
	GatewaysInput
}

// action makes the handler of a call on one thing that takes nothing but a remark.
func action[T any](do func(context.Context, lifecycle.Caller, string, service.ActionInput) (T, error)) func(context.Context, lifecycle.Caller, *actionInput) (*object[T], error) {
	return func(ctx context.Context, c lifecycle.Caller, in *actionInput) (*object[T], error) {
		return answer(do(ctx, c, in.ID, in.Body))
	}
}
