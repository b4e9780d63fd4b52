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
	if err := s.declareColumns(ctx, c, &in); err != nil {
		return service.API{}, err
	}
	now := s.now()
	api := service.API{
		ID: service.NewID(now), WorkspaceID: c.Workspace.ID, APISpec: in.APISpec, Revision: 1,
		OwnerID: c.Member.ID, OwnerName: c.Member.Name, CreatedAt: now, UpdatedAt: now, UpdatedBy: c.Member.Name, RowVersion: firstRowVersion,
	}
	var tried *trial
	prepare := func() (err error) {
		api.DebugStatus, api.DebugMessage, tried, err = s.prove(ctx, c, in)
		return err
	}
	created, err := once(ctx, s, c, "api.create", in, prepare, func(tx Tx) (service.API, string, error) {
		if err := tx.CreateAPI(ctx, &api); err != nil {
			return api, "", err
		}
		if err := s.keepTrial(ctx, tx, c, api, tried); err != nil {
			return api, "", err
		}
		return api, api.ID, s.recordPrivate(ctx, tx, c, api.PrivateTo(), "api.create", api.ID, api.Name, api.APISpec)
	})
	created.RowVersion = firstRowVersion
	return created, err
}

// declareColumns declares what a script answers, where the input asks for that.
func (s *Service) declareColumns(ctx context.Context, c Caller, in *service.APIInput) error {
	if !in.AnswerAll || in.Script == nil || in.Script.SQL == "" || len(in.ResponseParameters) > 0 {
		return nil
	}
	var conn service.Connection
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		conn, err = connectionOf(ctx, tx, c, in.Definition)
		return err
	})
	if err != nil {
		return err
	}
	in.ResponseParameters, err = s.Runner.Columns(ctx, in.Definition, conn)
	return err
}

// prove validates the input against its connection and debugs it where there are
// values to call it with. It returns the test call where it made one.
func (s *Service) prove(ctx context.Context, c Caller, in service.APIInput) (service.DebugStatus, string, *trial, error) {
	conn, err := s.validate(ctx, c, in, true)
	if err != nil {
		return "", "", nil, err
	}
	call, why := in.DebugCall(in.Debug)
	if why != "" {
		return service.DebugWaiting, why, nil, s.Runner.Validate(ctx, in.Definition, conn)
	}
	result, err := s.Runner.Debug(ctx, in.Definition, conn, call)
	if err := call.Judge(result, err); err != nil {
		return "", "", nil, err
	}
	return service.DebugSuccess, "", &trial{call, result}, nil
}

// anyConnection stands for a connection that does not exist yet.
const anyConnection = "00000000000000000000000000000000"

// validate checks the input's own rules, finds its connection where it is to be connected,
// and makes sure of where it is filed.
func (s *Service) validate(ctx context.Context, c Caller, in service.APIInput, connected bool) (service.Connection, error) {
	var conn service.Connection
	if in.ReadsConnection() && !connected {
		in.ConnectionID = anyConnection
	}
	if err := in.Validate(); err != nil {
		return conn, err
	}
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		if err := checkFiled(ctx, tx, c, in.APISpec); err != nil {
			return err
		}
		if connected {
			conn, err = connectionOf(ctx, tx, c, in.Definition)
		}
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
// an update would take from callers, everywhere where the API is live, and where a path
// that is new to the API is taken.
func (s *Service) ValidateAPI(ctx context.Context, c Caller, ref string, in service.APIInput) (service.Validation, error) {
	return s.validateAPI(ctx, c, ref, in, true)
}

// ValidateAPIWithoutConnection is ValidateAPI for a connection that does not exist yet: it
// checks everything that no database is needed for. No connection may be named.
func (s *Service) ValidateAPIWithoutConnection(ctx context.Context, c Caller, ref string, in service.APIInput) (service.Validation, error) {
	if in.ConnectionID != "" {
		var v service.Invalid
		v.Addf("/connection_id", "Without a connection none is named: leave it out, or have the API checked with it.")
		return service.Validation{}, v.Err("The request")
	}
	return s.validateAPI(ctx, c, ref, in, false)
}

func (s *Service) validateAPI(ctx context.Context, c Caller, ref string, in service.APIInput, connected bool) (service.Validation, error) {
	found := service.Validation{Warnings: in.Definition.Warnings(), BreakingChanges: []service.EnvironmentBreakingChange{}, TakenPaths: []service.TakenPath{}}
	if found.Warnings == nil {
		found.Warnings = []service.FieldError{}
	}
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return found, err
	}
	in.APISpec = in.APISpec.WithDefaults()
	conn, err := s.validate(ctx, c, in, connected)
	if err != nil {
		return found, err
	}
	var before service.API
	if ref != "" {
		err := s.Store.View(ctx, func(tx Tx) (err error) {
			if before, err = changeableAPI(ctx, tx, c, ref); err != nil {
				return err
			}
			if err := refuseVisibility(c, before, in.APISpec); err != nil {
				return err
			}
			if connected && before.ConnectionID != conn.ID {
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
	if moves := in.Method != before.Method || in.Path != before.Path; moves {
		err := s.Store.View(ctx, func(tx Tx) error {
			taken, err := tx.PathHolders(ctx, c.Workspace.ID, before.ID, PathClaim{in.Method, in.Path})
			found.TakenPaths = append(found.TakenPaths, taken...)
			return err
		})
		if err != nil {
			return found, err
		}
	}
	if !connected {
		return found, nil
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
	if err := s.declareColumns(ctx, c, &in); err != nil {
		return api, err
	}
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
	api.APISpec, api.UpdatedAt, api.UpdatedBy = in.APISpec, s.now(), c.Member.Name
	redefined := !in.Definition.Equal(before.Definition)
	if redefined {
		api.Revision++
	}
	var tried *trial
	if redefined || in.Debug != nil || before.DebugStatus != service.DebugSuccess {
		if api.DebugStatus, api.DebugMessage, tried, err = s.prove(ctx, c, in); err != nil {
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
		if err := s.keepTrial(ctx, tx, c, next, tried); err != nil {
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

// DebugAPI calls the current revision once and notes how it went. Beside the error of a
// call that failed there is a result where the call was answered.
func (s *Service) DebugAPI(ctx context.Context, c Caller, ref string, in service.DebugInput) (service.DebugResult, error) {
	d, err := s.debuggable(ctx, c, ref, in)
	if err != nil {
		return service.DebugResult{}, err
	}
	return s.debug(ctx, c, d)
}

// debuggable is a test call that can be made.
type debuggable struct {
	api  service.API
	conn service.Connection
	// input is what the caller gave, call has a value for every parameter that has one.
	input, call service.DebugInput
}

// debuggable finds what a test call of the current revision is made with.
func (s *Service) debuggable(ctx context.Context, c Caller, ref string, in service.DebugInput) (d debuggable, err error) {
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return d, err
	}
	d.input = in
	err = s.Store.View(ctx, func(tx Tx) (err error) {
		if d.api, err = changeableAPI(ctx, tx, c, ref); err != nil {
			return err
		}
		if !d.api.ReadsConnection() {
			return nil
		}
		d.conn, err = tx.Connection(ctx, c.Workspace.ID, d.api.ConnectionID)
		return err
	})
	if err != nil {
		return d, err
	}
	if err := in.Validate(d.api.Definition); err != nil {
		return d, err
	}
	var why string
	if d.call, why = d.api.DebugCall(&in); why != "" {
		return d, service.Errorf(service.CodeInvalid, "%s", why)
	}
	return d, nil
}

// debug makes a test call and notes how it went. Where it was answered with a failure, the
// result tells what.
func (s *Service) debug(ctx context.Context, c Caller, d debuggable) (service.DebugResult, error) {
	var result service.DebugResult
	api := d.api
	// A revision that was debugged once stays publishable; a failure is noted only before. What
	// the call was answered is kept in any case.
	note := func(tx Tx, failure error) error {
		r, err := tx.Revision(ctx, api.ID, api.Revision)
		if err != nil {
			return err
		}
		report := s.report(c, api.ID, api.Revision, d.call, result, failure)
		if err := tx.PutDebugReport(ctx, report); err != nil || r.DebugStatus == service.DebugSuccess {
			return err
		}
		status := report.Status
		r.DebugStatus, r.DebugMessage = status, report.Failure
		if err := tx.PutRevision(ctx, r); err != nil {
			return err
		}
		return s.recordPrivate(ctx, tx, c, api.PrivateTo(), "api.debug", api.ID, api.Name, map[string]any{"api_revision": api.Revision, "debug_status": status})
	}
	run := func() (err error) {
		result, err = s.Runner.Debug(ctx, api.Definition, d.conn, d.call)
		err = service.WithinDebug(d.call.Judge(result, err))
		if err == nil || ctx.Err() != nil {
			return err
		}
		noted := s.update(ctx, c, func(tx Tx) error { return note(tx, err) })
		return cmp.Or(noted, err)
	}
	request := struct {
		ID       string
		Revision int64
		service.DebugInput
	}{api.ID, api.Revision, d.input}
	answer, err := once(ctx, s, c, "api.debug", request, run, func(tx Tx) (service.DebugResult, string, error) {
		return result, "", note(tx, nil)
	})
	if err != nil {
		return result, err
	}
	return answer, nil
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
		return s.deleteAPI(ctx, tx, c, ref, ifMatch)
	})
}

// deleteAPI removes one API. Every instance of the workspace is locked.
func (s *Service) deleteAPI(ctx context.Context, tx Tx, c Caller, ref, ifMatch string) error {
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

// APIAt is [Service.API] for a request that is about something of the API's, and not about
// the API itself.
func (s *Service) APIAt(ctx context.Context, c Caller, ref string) (service.API, error) {
	var api service.API
	err := s.Store.Glance(ctx, func(tx Tx) (err error) {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return err
		}
		api, err = visibleAPI(ctx, tx, c, ref)
		return err
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
