// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var tokenSecret = regexp.MustCompile(`dst_[A-Za-z0-9_-]{43}`)

// TestAMemberComesAndGoes is what an admin does, in a real browser.
func TestAMemberComesAndGoes(t *testing.T) {
	d := newDeskWith(t, "On the laptop.")
	b := d.browser()
	b.signIn(d.tokens["admin"])
	b.press("Members")
	b.wants("dora", "rex", "olli", "visitor")
	b.picture("members")
	b.press("New member")
	b.enter("Name", "two words")
	b.press("Make the member")
	b.wants("is not a valid member name")
	b.picture("member-form")
	b.enter("Name", "nora@example.com")
	b.enter("Role", "DEVELOPER")
	b.press("Make the member")
	b.wants("The member is made", "nora@example.com", "developer", "No token opens anything")
	b.enter("What for", "Her laptop")
	b.enter("Good for", "72")
	b.press("Issue")
	b.wants("It is shown this once", "Her laptop")
	secret := tokenSecret.FindString(b.text())
	if m, _, err := d.Authenticate(d.ctx, secret); err != nil || m.Name != "nora@example.com" {
		t.Errorf("the token is of %v: %v", m, err)
	}
	b.picture("member-token")
	b.enter("Role", "VISITOR")
	b.press("Change")
	b.wants("The member is changed", "visitor")
	b.picture("member")
	b.press("Revoke")
	b.wants("The token is revoked", "No token opens anything")
	if _, _, err := d.Authenticate(d.ctx, secret); service.ErrorCode(err) != service.CodeUnauthenticated {
		t.Errorf("the token still opens something: %v", err)
	}
	b.press("Remove nora@example.com")
	b.press("Remove the member")
	b.wants("The member is removed")

	b.press("rex")
	b.press("Remove rex")
	b.wants("API countries", "Who gets its APIs and apps")
	b.press("Remove the member")
	b.wants("rex owns what is listed here")
	b.enter("Who gets", "dora")
	b.picture("member-delete")
	b.press("Remove the member")
	b.wants("The member is removed")
	if api := must(d.API(d.ctx, d.as("admin"), d.api.ID))(t); api.OwnerName != "dora" {
		t.Errorf("the API is %s's", api.OwnerName)
	}
}

func TestEverybodyHasTheirOwnTokens(t *testing.T) {
	d := newDesk(t)
	vera := d.in("vera")
	own := "/console/members/" + d.as("vera").Member.ID
	vera.get(own).wants(t, http.StatusOK, "this session", "Signed in to the console").lacks(t, `href="/console/members"`, "Remove vera", d.tokens["vera"])
	answer := vera.post(own+"/tokens", "description", "mine", "hours", "5").wants(t, http.StatusOK, "It is shown this once", "mine")
	secret := tokenSecret.FindString(answer.body)
	if m, _, err := d.Authenticate(d.ctx, secret); err != nil || m.Name != "vera" {
		t.Fatalf("the token is of %v: %v", m, err)
	}
	vera.get(own).wants(t, http.StatusOK, "mine").lacks(t, secret)
	vera.post(own+"/tokens", "description", "mine", "hours", "999999").wants(t, http.StatusUnprocessableEntity, "is not a life of a token")
	// Others see no tokens, but for admins.
	d.in("dora").get(own).wants(t, http.StatusOK, "visitor").lacks(t, "Revoke", "mine")
	d.in("admin").get(own).wants(t, http.StatusOK, "Revoke", "mine")
	// Those that have ended are not listed.
	tokens := must(d.MemberTokens(d.ctx, d.as("vera"), "vera"))(t)
	for _, token := range tokens {
		if token.Description == "mine" {
			vera.post(own+"/tokens/"+token.ID+"/revoke").wants(t, http.StatusSeeOther)
		}
	}
	vera.get(own).wants(t, http.StatusOK).lacks(t, "mine")
	// Nobody revokes another's.
	theirs := must(d.Tokens(d.ctx, d.as("dora"), lifecycle.Page{}))(t).Items[0]
	vera.post(own+"/tokens/"+theirs.ID+"/revoke").wants(t, http.StatusNotFound)
	if _, err := d.MemberTokens(d.ctx, d.as("dora"), "vera"); service.ErrorCode(err) != service.CodeForbidden {
		t.Errorf("dora is shown vera's tokens: %v", err)
	}
}

func TestAccessKeysAreShownAndRevoked(t *testing.T) {
	d := newDesk(t)
	made := must(d.CreateAccessKey(d.ctx, d.as("vera"), service.AccessKeyInput{Description: markup}))(t)
	own := "/console/members/" + d.as("vera").Member.ID
	vera := d.in("vera")
	vera.get(own).wants(t, http.StatusOK, made.ID, "Revoke the access key").lacks(t, made.Secret, "<b data-xss")
	d.in("admin").get(own).wants(t, http.StatusOK, made.ID).lacks(t, made.Secret)
	d.in("dora").get(own).wants(t, http.StatusOK).lacks(t, made.ID)
	d.in("dora").post(own+"/access-keys/"+made.ID+"/delete").wants(t, http.StatusNotFound)
	if _, err := d.MemberAccessKeys(d.ctx, d.as("dora"), "vera"); service.ErrorCode(err) != service.CodeForbidden {
		t.Errorf("dora is shown vera's access keys: %v", err)
	}
	if _, err := d.Signer(d.ctx, made.ID); err != nil {
		t.Errorf("what dora sent had an effect: %v", err)
	}
	vera.post(own+"/access-keys/"+made.ID+"/delete").wants(t, http.StatusSeeOther)
	vera.get(own+"?done=access-key-deleted").wants(t, http.StatusOK, "The access key is revoked").lacks(t, made.ID)
	if _, err := d.Signer(d.ctx, made.ID); service.ErrorCode(err) != service.CodeUnauthenticated {
		t.Errorf("it still signs: %v", err)
	}
}

func TestTheLastAdminStays(t *testing.T) {
	d := newDesk(t)
	admin := d.in("admin")
	own := "/console/members/" + d.as("admin").Member.ID
	admin.post(own+"/delete").wants(t, http.StatusConflict, "is the last admin of the workspace", "Remove admin?")
	admin.post(own, "role", "VISITOR").wants(t, http.StatusConflict, "is the last admin of the workspace")
	shown := admin.post("/console/members", "name", "dora", "role", "DEVELOPER")
	if shown.StatusCode != http.StatusConflict || !strings.Contains(shown.body, `value="dora"`) {
		t.Errorf("a second dora is answered %d %s", shown.StatusCode, shown.body)
	}
}
