// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"fmt"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// A private API belongs to its owner. What that means for everything that is made of
// an API is decided here, and every use case reads APIs, publications and reviews
// through this file:
//
//   - Owner and admins see and change it, its publications and their reviews.
//   - Reviewers see all of that while an application of the API is open, and may
//     decide on the application or cancel it. They change nothing else: to take
//     offline what is live, an admin takes the reviewer right.
//   - Who applied for a review or decided it goes on seeing that review: a decision
//     that is sent twice, or looked up later, is still there.
//   - To all others none of it exists: the answer is that of an id that was never given.
//   - In the catalog it is for owner and admins alone, and so are its events.
//
// A list is narrowed by the store, before its pages are cut. Two things name a private
// API to everybody who meets them: its name, which is taken, and what it holds (a path,
// a connection, a folder).

// sight is what the caller is shown in lists; nil is everything.
func (c Caller) sight() *Sight {
	if c.Member.Role == service.RoleAdmin {
		return nil
	}
	return &Sight{MemberID: c.Member.ID, Applications: c.Member.SeesApplications()}
}

// ownSight is what the caller is shown where an open application makes no difference.
func (c Caller) ownSight() *Sight {
	s := c.sight()
	if s != nil {
		s.Applications = false
	}
	return s
}

// sees reports whether the caller is shown an API that is private to the member with
// that id, "" for nobody.
func sees(ctx context.Context, tx Tx, c Caller, privateTo, apiID string) (bool, error) {
	if c.Member.MayChange(privateTo) {
		return true, nil
	}
	return tx.Sees(ctx, *c.sight(), apiID)
}

// visibleAPI finds an API that the caller is shown.
func visibleAPI(ctx context.Context, tx Tx, c Caller, ref string) (service.API, error) {
	api, err := tx.API(ctx, c.Workspace.ID, ref)
	if err != nil {
		return api, err
	}
	if seen, err := sees(ctx, tx, c, api.PrivateTo(), api.ID); err != nil || !seen {
		return service.API{}, orNotFound(err, "API", ref)
	}
	return api, nil
}

// changeableAPI finds an API that the caller may change.
func changeableAPI(ctx context.Context, tx Tx, c Caller, ref string) (service.API, error) {
	api, err := visibleAPI(ctx, tx, c, ref)
	if err == nil && !c.Member.MayChange(api.PrivateTo()) {
		return service.API{}, notTheirs(c, api.Name)
	}
	return api, err
}

// visiblePublication finds a publication of an API that the caller is shown.
func visiblePublication(ctx context.Context, tx Tx, c Caller, id string) (service.Publication, error) {
	p, err := tx.Publication(ctx, c.Workspace.ID, id)
	if err != nil {
		return p, err
	}
	if seen, err := sees(ctx, tx, c, p.PrivateTo, p.APIID); err != nil || !seen {
		return service.Publication{}, orNotFound(err, "publication", id)
	}
	return p, nil
}

// refuseAction keeps those who are shown a private API for its application's sake from
// more than the application.
func refuseAction(ctx context.Context, tx Tx, c Caller, call service.Call, p service.Publication) error {
	if seen, err := sees(ctx, tx, c, p.PrivateTo, p.APIID); err != nil || !seen {
		return orNotFound(err, "publication", p.ID)
	}
	if c.Member.MayChange(p.PrivateTo) || call == service.CallCancel && p.OpenReview != nil {
		return nil
	}
	return notTheirs(c, p.APIName)
}

// visibleReview finds a review that the caller is shown.
func visibleReview(ctx context.Context, tx Tx, c Caller, id string) (service.Review, error) {
	r, err := tx.Review(ctx, c.Workspace.ID, id)
	if err != nil || r.ApplicantID == c.Member.ID || r.DeciderID == c.Member.ID {
		return r, err
	}
	if seen, err := sees(ctx, tx, c, r.PrivateTo, r.APIID); err != nil || !seen {
		return service.Review{}, orNotFound(err, "review", id)
	}
	return r, nil
}

// refuseVisibility keeps members from taking an API of somebody else out of everybody's sight.
func refuseVisibility(c Caller, before service.API, after service.APISpec) error {
	if after.Visibility == before.Visibility || c.Member.MayChange(before.OwnerID) {
		return nil
	}
	return &service.Error{
		Code:    service.CodeForbidden,
		Message: fmt.Sprintf("The API %q belongs to %s: its owner and admins alone may change who sees it.", before.Name, before.OwnerName),
		Fields:  []service.FieldError{{Pointer: "/visibility", Message: fmt.Sprintf("Only %s and admins may change it.", before.OwnerName)}},
	}
}

func orNotFound(err error, kind, ref string) error {
	if err != nil {
		return err
	}
	return service.NotFound(kind, ref)
}

func notTheirs(c Caller, name string) error {
	return service.Errorf(service.CodeForbidden,
		"The API %q is private: its owner and admins alone may change it or what is published of it. %s sees it as a reviewer while an application of it is open, and may decide on that.", name, c.Member.Name)
}
