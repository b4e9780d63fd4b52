// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerConnections() {
	const path = base + "/connections"
	register(a, operation{
		method: http.MethodPost, path: path, id: "create-connection", tag: tagConnections,
		summary: "Create a connection", description: "The service connects before it stores anything.",
	}, a.createConnection)
	register(a, operation{
		method: http.MethodPost, path: path + "/validate", id: "validate-connection", tag: tagConnections,
		summary:     "Check a connection without storing it",
		description: "Everything that creating or replacing it would check. A rule that it breaks is an error; a database that is not reached, or does not let the service in, is a warning.",
	}, a.validateConnection)
	register(a, operation{
		method: http.MethodGet, path: path, id: "list-connections", tag: tagConnections,
		summary: "List connections",
	}, a.listConnections)
	register(a, operation{
		method: http.MethodGet, path: path + "/{ref}", id: "get-connection", tag: tagConnections,
		summary: "Read a connection", description: "The password is never answered.",
	}, a.getConnection)
	register(a, operation{
		method: http.MethodPut, path: path + "/{ref}", id: "update-connection", tag: tagConnections,
		summary: "Replace a connection", description: "An absent password stays as it is.",
	}, a.updateConnection)
	register(a, operation{
		method: http.MethodDelete, path: path + "/{ref}", id: "delete-connection", tag: tagConnections,
		summary: "Delete a connection", description: "Refused while an API or a live version reads from it.",
	}, a.deleteConnection)
}

func (a *api) createConnection(ctx context.Context, c lifecycle.Caller, in *BodyInput[service.ConnectionInput]) (*createdTagged[service.Connection], error) {
	v, err := a.Service.CreateConnection(ctx, c, in.Body)
	return answerCreatedTagged(c, "connections", v.ID, v, err)
}

func (a *api) validateConnection(ctx context.Context, c lifecycle.Caller, in *struct {
	Connection string `query:"connection" doc:"Id, number or name of the connection that would be replaced; absent for a new one."`
	BodyInput[service.ConnectionInput]
},
) (*object[service.Validation], error) {
	return answer(a.Service.ValidateConnection(ctx, c, in.Connection, in.Body))
}

func (a *api) listConnections(ctx context.Context, c lifecycle.Caller, in *PageInput) (*object[service.List[service.Connection]], error) {
	return answer(a.Service.Connections(ctx, c, in.page()))
}

func (a *api) getConnection(ctx context.Context, c lifecycle.Caller, in *RefInput) (*tagged[service.Connection], error) {
	return answerTagged(a.Service.Connection(ctx, c, in.Ref))
}

func (a *api) updateConnection(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	MatchInput
	BodyInput[service.ConnectionInput]
},
) (*tagged[service.Connection], error) {
	return answerTagged(a.Service.UpdateConnection(ctx, c, in.Ref, in.etag(), in.Body))
}

func (a *api) deleteConnection(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	MatchInput
},
) (*none, error) {
	return answerNothing(a.Service.DeleteConnection(ctx, c, in.Ref, in.etag()))
}
