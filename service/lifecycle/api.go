// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"cmp"
	"context"
	"fmt"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// CreateAPI defines an API. The debug runs first: where it fails, nothing is
// stored. Where it cannot run for lack of values, the API is stored with the debug
// status WAITING and cannot be published yet. Developers and admins.
func (s *Service) CreateAPI(ctx context.Context, c Caller, in service.APIInput) (service.API, error) {
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return service.API{}, err
	}
	in.APISpec = in.APISpec.WithDefaults()
	now := s.now()
	api := service.API{
		ID: service.NewID(now), WorkspaceID: c.Workspace.ID, APISpec: in.APISpec, Revision: 1,
		OwnerID: c.Member.ID, OwnerName: c.Member.Name, CreatedAt: now, UpdatedAt: now, RowVersion: firstRowVersion,
	}
	prepare := func() (err error) {
		api.DebugStatus, api.DebugMessage, err = s.prove(ctx, c, in)
		return err
	}
	created, err := once(ctx, s, c, "api.create", in, prepare, func(tx Tx) (service.API, string, error) {
		if err := tx.CreateAPI(ctx, &api); err != nil {
			return api, "", err
		}
		return api, api.ID, s.recordPrivate(ctx, tx, c, api.PrivateTo(), "api.create", api.ID, api.Name, api.APISpec)
	})
	created.RowVersion = firstRowVersion
	return created, err
}

// prove validates the input against its connection and debugs it where there are
// values to call it with.
func (s *Service) prove(ctx context.Context, c Caller, in service.APIInput) (service.DebugStatus, string, error) {
	conn, err := s.validate(ctx, c, in)
	if err != nil {
		return "", "", err
	}
	call, why := in.DebugCall(in.Debug)
	if why != "" {
		return service.DebugWaiting, why, s.Runner.Validate(ctx, in.Definition, conn)
	}
	result, err := s.Runner.Debug(ctx, in.Definition, conn, call)
	if err := call.Judge(result, err); err != nil {
		return "", "", err
	}
	return service.DebugSuccess, "", nil
}

// validate checks the input's own rules, finds its connection, and makes sure of where it
// is filed.
func (s *Service) validate(ctx context.Context, c Caller, in service.APIInput) (service.Connection, error) {
	var conn service.Connection
	if err := in.Validate(); err != nil {
		return conn, err
	}
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		if err := checkFiled(ctx, tx, c, in.APISpec); err != nil {
			return err
		}
		conn, err = connectionOf(ctx, tx, c, in.Definition)
		return err
	})
	return conn, err
}

// connectionOf finds the connection that a definition reads from: none where a backend
// answers.
func connectionOf(ctx context.Context, tx Tx, c Caller, d service.Definition) (service.Connection, error) {
	if !d.ReadsConnection() {
		return service.Connection{}, nil
	}
	return connectionField(ctx, tx, c, d.ConnectionID)
}

// connectionField finds the connection that a request names, and blames the field
// where there is none.
func connectionField(ctx context.Context, tx Tx, c Caller, id string) (service.Connection, error) {
	conn, err := tx.Connection(ctx, c.Workspace.ID, id)
	if service.ErrorCode(err) == service.CodeNotFound || err == nil && conn.ID != id {
		var v service.Invalid
		v.Addf("/connection_id", "There is no connection with the id %q here: use the id of one in this workspace, not its name.", id)
		return conn, v.Err("The request")
	}
	return conn, err
}

// ValidateAPI does everything that CreateAPI, or UpdateAPI of the API with that
// reference, would do before it stores, except for the debug. Beside that it tells what
// an update would take from callers, everywhere where the API is live.
func (s *Service) ValidateAPI(ctx context.Context, c Caller, ref string, in service.APIInput) (service.Validation, error) {
	found := service.Validation{Warnings: in.Definition.Warnings(), BreakingChanges: []service.EnvironmentBreakingChange{}}
	if found.Warnings == nil {
		found.Warnings = []service.FieldError{}
	}
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return found, err
	}
	in.APISpec = in.APISpec.WithDefaults()
	conn, err := s.validate(ctx, c, in)
	if err != nil {
		return found, err
	}
	if ref != "" {
		err := s.Store.View(ctx, func(tx Tx) error {
			before, err := changeableAPI(ctx, tx, c, ref)
			if err != nil {
				return err
			}
			if err := refuseVisibility(c, before, in.APISpec); err != nil {
				return err
			}
			if before.ConnectionID != conn.ID {
				if err := refuseConnectionChoice(ctx, tx, c, before); err != nil {
					return err
				}
			}
			changes, err := breakingChanges(ctx, tx, c, before, in.Definition)
			found.BreakingChanges = append(found.BreakingChanges, changes...)
			return err
		})
		if err != nil {
			return found, err
		}
	}
	return found, s.Runner.Validate(ctx, in.Definition, conn)
}

// UpdateAPI replaces an API. A changed definition counts the revision up; where it is
// filed and who sees it stand beside the definition. ifMatch is an ETag, or "" for no
// check. Where the debug fails, nothing changes.
func (s *Service) UpdateAPI(ctx context.Context, c Caller, ref, ifMatch string, in service.APIInput) (service.API, error) {
	var api service.API
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return api, err
	}
	in.APISpec = in.APISpec.WithDefaults()
	var before service.API
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		if before, err = changeableAPI(ctx, tx, c, ref); err != nil {
			return err
		}
		if err := refuseVisibility(c, before, in.APISpec); err != nil {
			return err
		}
		return checkFiled(ctx, tx, c, in.APISpec)
	})
	if err != nil {
		return api, err
	}
	if err := checkMatch(ifMatch, before.ETag(), "API", before.Name); err != nil {
		return api, err
	}
	api = before
	api.APISpec, api.UpdatedAt = in.APISpec, s.now()
	redefined := !in.Definition.Equal(before.Definition)
	if redefined {
		api.Revision++
	}
	if redefined || in.Debug != nil || before.DebugStatus != service.DebugSuccess {
		if api.DebugStatus, api.DebugMessage, err = s.prove(ctx, c, in); err != nil {
			return api, err
		}
		// An unchanged revision that was debugged once stays debugged.
		if !redefined && before.DebugStatus == service.DebugSuccess {
			api.DebugStatus, api.DebugMessage = before.DebugStatus, before.DebugMessage
		}
	} else if err := in.APISpec.Validate(); err != nil {
		return api, err
	}
	var updated service.API
	err = s.update(ctx, c, func(tx Tx) error {
		next := api
		if api.ConnectionID != before.ConnectionID {
			if err := lockInstances(ctx, tx, c); err != nil {
				return err
			}
			if err := refuseConnectionChoice(ctx, tx, c, before); err != nil {
				return err
			}
		}
		if err := tx.UpdateAPI(ctx, &next); err != nil {
			return err
		}
		updated = next
		return s.recordPrivate(ctx, tx, c, cmp.Or(next.PrivateTo(), before.PrivateTo()), "api.update", api.ID, api.Name, change{before.APISpec, api.APISpec})
	})
	return updated, staleOrConflict(err, ifMatch, "API", before.Name)
}

// refuseConnectionChoice keeps an API's choice of connection while an application
// to publish it is pending. Source: dataarts-publishing-an-api, Procedure, step 4.
func refuseConnectionChoice(ctx context.Context, tx Tx, c Caller, api service.API) error {
	publications, err := allPublications(ctx, tx, c, PublicationFilter{APIID: api.ID})
	if err != nil {
		return err
	}
	for _, p := range publications {
		if r := p.OpenReview; r != nil && r.Kind == service.ReviewPublish {
			return &service.Error{
				Code: service.CodeConnectionFrozen,
				Message: fmt.Sprintf("The API %q keeps its connection while review %s is pending: %s applied to publish revision %d to %s. Have the application rejected or cancelled first.",
					api.Name, r.ID, r.ApplicantName, r.Revision, p.EnvironmentName),
				Fields: []service.FieldError{{Pointer: "/connection_id", Message: "frozen by review " + r.ID}},
			}
		}
	}
	return nil
}

// DebugAPI calls the current revision once and notes how it went.
func (s *Service) DebugAPI(ctx context.Context, c Caller, ref string, in service.DebugInput) (service.DebugResult, error) {
	var result service.DebugResult
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return result, err
	}
	var (
		api  service.API
		conn service.Connection
	)
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		if api, err = changeableAPI(ctx, tx, c, ref); err != nil {
			return err
		}
		if !api.ReadsConnection() {
			return nil
		}
		conn, err = tx.Connection(ctx, c.Workspace.ID, api.ConnectionID)
		return err
	})
	if err != nil {
		return result, err
	}
	if err := in.Validate(api.Definition); err != nil {
		return result, err
	}
	call, why := api.DebugCall(&in)
	if why != "" {
		return result, service.Errorf(service.CodeInvalid, "%s", why)
	}
	// A revision that was debugged once stays publishable; a failure is noted only before.
	note := func(tx Tx, status service.DebugStatus, message string) error {
		r, err := tx.Revision(ctx, api.ID, api.Revision)
		if err != nil || r.DebugStatus == service.DebugSuccess {
			return err
		}
		r.DebugStatus, r.DebugMessage = status, message
		if err := tx.PutRevision(ctx, r); err != nil {
			return err
		}
		return s.recordPrivate(ctx, tx, c, api.PrivateTo(), "api.debug", api.ID, api.Name, map[string]any{"api_revision": api.Revision, "debug_status": status})
	}
	run := func() (err error) {
		result, err = s.Runner.Debug(ctx, api.Definition, conn, call)
		err = service.WithinDebug(call.Judge(result, err))
		if err == nil || ctx.Err() != nil {
			return err
		}
		noted := s.update(ctx, c, func(tx Tx) error { return note(tx, service.DebugFailed, err.Error()) })
		return cmp.Or(noted, err)
	}
	request := struct {
		ID       string
		Revision int64
		service.DebugInput
	}{api.ID, api.Revision, in}
	return once(ctx, s, c, "api.debug", request, run, func(tx Tx) (service.DebugResult, string, error) {
		return result, "", note(tx, service.DebugSuccess, "")
	})
}

// DeleteAPI removes an API that is published nowhere, with its history. ifMatch is
// an ETag, or "" for no check.
func (s *Service) DeleteAPI(ctx context.Context, c Caller, ref, ifMatch string) error {
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return err
	}
	return s.update(ctx, c, func(tx Tx) error {
		if err := lockInstances(ctx, tx, c); err != nil {
			return err
		}
		api, err := changeableAPI(ctx, tx, c, ref)
		if err != nil {
			return err
		}
		if err := checkMatch(ifMatch, api.ETag(), "API", api.Name); err != nil {
			return err
		}
		publications, err := allPublications(ctx, tx, c, PublicationFilter{APIID: api.ID})
		if err != nil {
			return err
		}
		if held := holding(publications); len(held) > 0 {
			return service.Errorf(service.CodeInUse, "The API %q is still held by its publications: %s. Unpublish them, or cancel the application, first.", api.Name, names(held))
		}
		for _, p := range publications {
			if err := s.dropAuthorizations(ctx, tx, c, p); err != nil {
				return err
			}
		}
		if err := tx.DeleteAPI(ctx, c.Workspace.ID, api.ID); err != nil {
			return err
		}
		if _, err := tx.VoidIdempotency(ctx, api.ID, ""); err != nil {
			return err
		}
		return s.recordPrivate(ctx, tx, c, api.PrivateTo(), "api.delete", api.ID, api.Name, change{api.APISpec, nil})
	})
}

// holding keeps the publications that stand in the way of deleting what they are of.
func holding(publications []service.Publication) []service.Publication {
	var held []service.Publication
	for _, p := range publications {
		if p.Status.Holds() {
			held = append(held, p)
		}
	}
	return held
}

// API returns one API.
func (s *Service) API(ctx context.Context, c Caller, ref string) (service.API, error) {
	var api service.API
	err := s.read(ctx, c, func(tx Tx) (_ string, err error) {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return "", err
		}
		api, err = visibleAPI(ctx, tx, c, ref)
		return api.ID, err
	})
	return api, err
}

// APIs lists the matching APIs.
func (s *Service) APIs(ctx context.Context, c Caller, filter APIFilter, page Page) (service.List[service.API], error) {
	var l service.List[service.API]
	filter.Sight = c.sight()
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return err
		}
		l, err = list(page, func(a service.API) string { return a.ID }, func(p Page) ([]service.API, error) {
			return tx.APIs(ctx, c.Workspace.ID, filter, p)
		})
		return err
	})
	return l, err
}
