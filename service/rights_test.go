// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"fmt"
	"testing"
)

// What is said about a call beforehand is what becomes of it: for every role, with and
// without the reviewer right, under every policy that reviews depend on.
func TestRightsAreWhatDecisionsComeTo(t *testing.T) {
	environments := map[string]Environment{"where reviews are required": reviewedEnvironment, "where none is needed": openEnvironment, "with four eyes": fourEyes}
	for where, env := range environments {
		for _, role := range Roles {
			for _, reviewer := range []bool{false, true} {
				actor := Member{ID: "m1", Name: "mia", Role: role, Reviewer: reviewer}
				t.Run(fmt.Sprintf("%s, reviewer: %t, %s", role, reviewer, where), func(t *testing.T) {
					got := env.Rights(actor)
					published := func(status Status, call Call) Right {
						step, err := Decide(situation(status, false, developer, call, actor, env))
						return decided(err, step.Open == "")
					}
					authorized := func(app App) Right {
						app.Type = AppTypeApp
						step, err := DecideAuthorize(AuthorizeSituation{Environment: env, App: app, AuthTypes: []AuthType{AuthApp}, Actor: actor, Now: noon})
						return decided(err, step.Grant)
					}
					_, revoked := DecideRevoke(RevokeSituation{Environment: env, Authorization: Authorization{Status: AuthorizationActive}, Actor: actor, Now: noon})
					for _, tt := range []struct {
						call      string
						got, want Right
					}{
						{"publish", got.Publish, published(StatusCreated, CallPublish)},
						{"restore", got.Restore, published(StatusStopped, CallRestore)},
						{"suspend", got.Suspend, published(StatusPublished, CallSuspend)},
						{"unpublish", got.Unpublish, published(StatusPublished, CallUnpublish)},
						{"authorize an own app", got.AuthorizeOwn, authorized(App{OwnerID: actor.ID})},
						{"authorize an app of another", got.AuthorizeOther, authorized(App{OwnerID: "m2"})},
						{"revoke", got.Revoke, decided(revoked, true)},
					} {
						if tt.got.Way != tt.want.Way || (tt.got.Why == "") != (tt.want.Why == "") {
							t.Errorf("%s: said %+v, came to %+v", tt.call, tt.got, tt.want)
						}
					}
				})
			}
		}
	}
}

// decided is what a call came to.
func decided(err error, direct bool) Right {
	switch {
	case ErrorCode(err) == CodeForbidden:
		return Right{Way: WayRefused, Why: err.Error()}
	case err != nil:
		return Right{Why: "for another reason: " + err.Error()}
	case direct:
		return Right{Way: WayDirect}
	}
	return Right{Way: WayReview}
}
