// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// A plan tells what the member may not do, and what a reviewer must decide first. The
// service says so, once for what lies in no environment (with the answer to who we are) and
// once for each environment: how many resources there are makes no difference.

// checks reports whether a plan asks the service: it answered when the provider was
// configured, and plan_validation is on.
func (b *backend) checks() bool {
	return b != nil && b.client != nil && b.planValidation && b.known() != nil
}

// planRefused reports that the member may not make, change or delete things of the kind.
func (b *backend) planRefused(diags *diag.Diagnostics, kind service.Kind, summary string) {
	if !b.checks() {
		return
	}
	if why := b.known().Refused[kind]; why != "" {
		b.addRefusal(diags, path.Empty(), summary, why)
	}
}

// addRefusal reports what the member may not do. To an admin, who can give rights and set
// policies in the same apply, it is a warning.
func (b *backend) addRefusal(diags *diag.Diagnostics, at path.Path, summary, why string) {
	if _, refused := b.known().Refused[service.KindMembers]; refused {
		addAt(diags, diag.SeverityError, at, summary, why)
		return
	}
	addAt(diags, diag.SeverityWarning, at, summary, why+" The apply fails, unless it brings that about before.")
}

// addAt reports something on an attribute, or on the resource where the path is empty.
func addAt(diags *diag.Diagnostics, severity diag.Severity, at path.Path, summary, detail string) {
	var found diag.Diagnostic = diag.NewErrorDiagnostic(summary, detail)
	if severity == diag.SeverityWarning {
		found = diag.NewWarningDiagnostic(summary, detail)
	}
	if len(at.Steps()) > 0 {
		found = diag.WithPath(at, found)
	}
	diags.Append(found)
}

// askedRights are those in an environment, once the service was asked for them.
type askedRights struct {
	once   sync.Once
	rights service.EnvironmentRights
	err    error
}

// rightsIn returns what the member may do in an environment; ok is false where that is not
// known. The service is asked once for each.
func (b *backend) rightsIn(ctx context.Context, diags *diag.Diagnostics, environmentID types.String) (rights service.EnvironmentRights, ok bool) {
	id := environmentID.ValueString()
	if id == "" || !b.checks() {
		return rights, false
	}
	b.mu.Lock()
	if b.rights == nil {
		b.rights = map[string]*askedRights{}
	}
	asked := b.rights[id]
	first := asked == nil
	if first {
		asked = &askedRights{}
		b.rights[id] = asked
	}
	b.mu.Unlock()
	asked.once.Do(func() { asked.rights, asked.err = b.client.EnvironmentRights(ctx, id) })
	switch {
	case asked.err == nil:
		return asked.rights, true
	case client.IsNotFound(asked.err):
		diags.AddAttributeError(path.Root("environment_id"), "No such environment",
			fmt.Sprintf("%s Write the id of a dataservice_environment of this workspace, or leave environment_id out for RELEASE.", asked.err))
	case first:
		diags.AddWarning("Rights not checked",
			fmt.Sprintf("The plan could not find out what is allowed in the environment %s; the apply does. %s", id, asked.err))
	}
	return rights, false
}

// planRight tells what becomes of a call in an environment, and reports whether what comes
// after it is done in the same apply. doing is what the call does, such as "Publishing".
func (b *backend) planRight(diags *diag.Diagnostics, at path.Path, right service.Right, doing, environment string) (goesOn bool) {
	switch right.Way {
	case service.WayRefused:
		b.addRefusal(diags, at, fmt.Sprintf("%s in %s is not allowed", doing, environment), right.Why)
	case service.WayReview:
		addAt(diags, diag.SeverityWarning, at, "This apply asks for a review",
			fmt.Sprintf("%s in %s is for a reviewer to approve. The apply makes the application and ends without waiting for the decision; dataservice_review waits for it.", doing, environment))
	}
	return right.Way == service.WayDirect
}

// addAnnounced warns of an end that the authorized apps are told of first. what is what
// ends, as a sentence's beginning.
func addAnnounced(diags *diag.Diagnostics, what, waiting string, rights service.EnvironmentRights) {
	if rights.NoticeHours == 0 {
		return
	}
	diags.AddWarning("Apps are told first", strings.TrimSpace(fmt.Sprintf(
		"%s in %s is announced, and happens once every app has confirmed its notice, in %d hours at the earliest otherwise; notice_time names a later time. %s",
		what, rights.EnvironmentName, rights.NoticeHours, waiting)))
}
