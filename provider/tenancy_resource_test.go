// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const (
	financeWorkspace   = "dataservice_workspace.finance"
	partnersInstance   = "dataservice_instance.partners"
	stagingEnvironment = "dataservice_environment.staging"
	plainEnvironment   = "dataservice_environment.plain"
	ciMember           = "dataservice_member.ci"
	releaseEnvironment = "dataservice_environment.release"
)

func TestWorkspacesInstancesEnvironmentsAndMembers(t *testing.T) {
	t.Parallel()
	s := startService(t)
	made := s.step("tenancy", s.adminToken)
	made.ConfigStateChecks = []statecheck.StateCheck{
		value(financeWorkspace, "number", knownvalue.Int64Exact(service.FirstNumber+1)),
		value(financeWorkspace, "description", knownvalue.Null()),
		value(partnersInstance, "host_names", knownvalue.SetExact([]knownvalue.Check{knownvalue.StringExact("a.example.com"), knownvalue.StringExact("b.example.com")})),
		value(partnersInstance, "release_environment_id", knownvalue.NotNull()),
		value(stagingEnvironment, "review_required", knownvalue.Bool(false)),
		value(stagingEnvironment, "notice_hours", knownvalue.Int64Exact(0)),
		value(stagingEnvironment, "breaking_changes", knownvalue.StringExact("warn")),
		value(plainEnvironment, "review_required", knownvalue.Bool(true)),
		value(plainEnvironment, "notice_hours", knownvalue.Int64Exact(48)),
		value(plainEnvironment, "rate_limit", knownvalue.Null()),
		value(plainEnvironment, "instance_id", knownvalue.NotNull()),
		value(ciMember, "reviewer", knownvalue.Bool(false)),
	}
	imported := func(address, id string) resource.TestStep {
		step := s.step("tenancy", s.adminToken)
		step.ResourceName, step.ImportState, step.ImportStateVerify, step.ImportStateId = address, true, true, id
		return step
	}
	all := []string{financeWorkspace, partnersInstance, stagingEnvironment, ciMember}
	expect := func(action plancheck.ResourceActionType, unchanged ...string) []plancheck.PlanCheck {
		var checks []plancheck.PlanCheck
		for _, address := range all {
			checks = append(checks, plancheck.ExpectResourceAction(address, action))
		}
		for _, address := range unchanged {
			checks = append(checks, plancheck.ExpectResourceAction(address, plancheck.ResourceActionNoop))
		}
		return checks
	}
	otherwise := config.Variables{"changed": config.BoolVariable(true)}
	changed := s.step("tenancy", s.adminToken, otherwise)
	changed.ConfigPlanChecks.PreApply = expect(plancheck.ResourceActionUpdate, plainEnvironment)
	changed.ConfigStateChecks = []statecheck.StateCheck{
		value(stagingEnvironment, "four_eyes", knownvalue.Bool(true)),
		value(stagingEnvironment, "breaking_changes", knownvalue.StringExact("forbid")),
		value(partnersInstance, "host_names", knownvalue.SetExact([]knownvalue.Check{knownvalue.StringExact("partners.example.com")})),
		value(ciMember, "role", knownvalue.StringExact("DEVELOPER")),
		value(ciMember, "reviewer", knownvalue.Bool(true)),
	}
	instance := func() service.Instance {
		i, err := s.admin.Instance(t.Context(), "partners")
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	staging := func() service.Environment {
		environments, err := client.All(t.Context(), s.admin.Environments)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range environments {
			if e.Name == "staging" {
				return e
			}
		}
		t.Fatal("there is no environment staging")
		return service.Environment{}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	drifted := s.step("tenancy", s.adminToken, otherwise)
	drifted.PreConfig = func() {
		ctx := t.Context()
		_, err := s.admin.UpdateWorkspace(ctx, "finance", service.WorkspaceInput{Name: "money"})
		must(err)
		_, err = s.admin.UpdateInstance(ctx, instance().ID, service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "others"}})
		must(err)
		_, err = s.admin.UpdateEnvironment(ctx, staging().ID, service.EnvironmentInput{Name: "staging", Description: "Somebody was here."})
		must(err)
		_, err = s.admin.UpdateMember(ctx, "ci", service.MemberInput{Name: "ci", Role: service.RoleVisitor})
		must(err)
	}
	drifted.ConfigPlanChecks.PreApply = expect(plancheck.ResourceActionUpdate, plainEnvironment)
	disappeared := s.step("tenancy", s.adminToken, otherwise)
	disappeared.PreConfig = func() {
		ctx := t.Context()
		must(s.admin.DeleteWorkspace(ctx, "finance"))
		must(s.admin.DeleteEnvironment(ctx, staging().ID))
		must(s.admin.DeleteInstance(ctx, instance().ID))
		must(s.admin.DeleteMember(ctx, "ci", ""))
	}
	disappeared.ConfigPlanChecks.PreApply = expect(plancheck.ResourceActionCreate, plainEnvironment)

	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		made,
		imported(financeWorkspace, ""), imported(financeWorkspace, "finance"), imported(partnersInstance, "partners"),
		imported(stagingEnvironment, ""), imported(plainEnvironment, "DEV"), imported(ciMember, "ci"),
		changed, drifted, disappeared,
	}})
	for what, err := range map[string]error{
		"workspace": second(s.admin.ReadWorkspace(t.Context(), "finance")), "instance": second(s.admin.Instance(t.Context(), "partners")),
		"environment": second(s.admin.Environment(t.Context(), "DEV")), "member": second(s.admin.Member(t.Context(), "ci")),
	} {
		if !client.IsNotFound(err) {
			t.Errorf("after the destroy the %s answers %v", what, err)
		}
	}
}

func TestATenancyThatChangedSinceThePlanIsNotOverwritten(t *testing.T) {
	t.Parallel()
	s := startService(t)
	ctx := t.Context()
	w := s.workdir("tenancy", s.adminToken)
	w.apply().succeeds(t)
	w.set("changed=true").run("plan", "-no-color", "-out=saved").succeeds(t)
	if _, err := s.admin.UpdateMember(ctx, "ci", service.MemberInput{Name: "ci", Role: service.RoleVisitor}); err != nil {
		t.Fatal(err)
	}
	environments, err := client.All(ctx, s.admin.Environments)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(environments, func(e service.Environment) bool { return e.Name == "staging" })
	staging := environments[at]
	if _, err := s.admin.UpdateEnvironment(ctx, staging.ID, service.EnvironmentInput{Name: "staging", Description: "Somebody was here."}); err != nil {
		t.Fatal(err)
	}
	w.run("apply", "-no-color", "saved").fails(t, `The member "ci" changed since you read it`, `The environment "staging" changed since you read it`, "run plan again")
	if m, err := s.admin.Member(ctx, "ci"); err != nil || m.Role != service.RoleVisitor || m.Reviewer {
		t.Errorf("the member is %+v (%v)", m, err)
	}
	if e, err := s.admin.Environment(ctx, staging.ID); err != nil || e.Description != "Somebody was here." || e.FourEyes {
		t.Errorf("the environment is %+v (%v)", e, err)
	}
	w.apply().succeeds(t, "2 changed")
}

func second[T any](_ T, err error) error { return err }

func TestABadTenancyFailsInThePlanOnItsAttributes(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("tenancy_bad", s.adminToken)
	w.plan().fails(t,
		`"9 lives" is not a valid workspace name`, `"http://example.com/" is not a host name`, `"partners" is not an id: use the id of the instance`,
		`"s" is not a valid environment name`, "Four eyes need a review to look at", "-1 is not a time of notice", "is not a number of calls",
		`must be one of: ["warn" "forbid"]`, `"op er" is not a valid member name`, "Only admins and developers can be reviewers",
		"is not a life of a token", `"1500ms" is no number of whole seconds`,
	).saysNot(t, "dataservice_environment.unknown")
}

func TestRELEASEIsImportedAndStaysBehind(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("release", s.adminToken)
	w.apply().fails(t, `named "RELEASE" already`, "terraform import dataservice_environment.<label> "+service.ReleaseEnvironmentID)
	w.run("import", "-no-color", releaseEnvironment, service.ReleaseEnvironmentID).succeeds(t)
	w.apply().succeeds(t, "1 changed")
	w.plan().succeeds(t, "No changes")
	w.destroy().succeeds(t, "RELEASE stays", "It keeps what it demands")
	e, err := s.admin.Environment(t.Context(), "RELEASE")
	if err != nil || e.NoticeHours != 72 {
		t.Errorf("after the destroy RELEASE is %+v, %v", e, err)
	}
}

func TestAMemberThatOwnsSomethingIsDestroyedOnlyWithAnHeir(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("tenancy", s.adminToken).set("changed=true")
	w.apply().succeeds(t)
	token, err := s.admin.IssueToken(t.Context(), service.TokenInput{Member: "ci"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.client(token.Secret).CreateApp(t.Context(), service.AppInput{AppSpec: service.AppSpec{Name: "shop", Type: service.AppTypeApp}}); err != nil {
		t.Fatal(err)
	}
	main := w.read("main.tf")
	w.write("main.tf", strings.Replace(main, `var.changed ? "rev" : null`, "null", 1))
	w.apply().succeeds(t)
	w.destroy("-target="+ciMember).fails(t, "Cannot delete member ci", "shop", "(request ")
	w.write("main.tf", strings.Replace(main, `"rev"`, `"nobody"`, 1))
	w.apply().succeeds(t)
	w.destroy("-target="+ciMember).fails(t, `"nobody"`)
	if w.state(ciMember) == nil {
		t.Error("what could not be destroyed left the state")
	}
	w.write("main.tf", main)
	w.apply().succeeds(t)
	w.destroy().succeeds(t)
	app, err := s.admin.App(t.Context(), "shop")
	if err != nil || app.OwnerName != "rev" {
		t.Errorf("the app belongs to %s, %v", app.OwnerName, err)
	}
}

func TestNobodyButAnAdminManagesMembersAndWorkspaces(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("tenancy", s.developer)
	w.plan().fails(t, "Not allowed to create this workspace", "Not allowed to create this instance", "Not allowed to create this environment", "Not allowed to create this member", "that needs the role")
	w.unchecked().apply().fails(t, "Cannot create workspace finance", "Cannot create instance partners", "Cannot create environment DEV", "Cannot create member ci", "that needs the role")
}

var tokenPattern = regexp.MustCompile(`dst_[A-Za-z0-9_-]{20,}`)

// wantNoToken checks that of all texts none holds a token but those that are known.
func wantNoToken(t *testing.T, where, text string, known ...string) {
	t.Helper()
	for _, found := range tokenPattern.FindAllString(text, -1) {
		if !contains(known, found) {
			t.Errorf("%s holds the token %s…", where, found[:12])
		}
	}
}

func contains(texts []string, text string) bool {
	for _, t := range texts {
		if t == text {
			return true
		}
	}
	return false
}

func TestATokenForOneRunIsRevokedAndNowhereLeft(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("token", s.adminToken).set("member=dev")
	w.Env = append(w.Env, "TF_LOG=TRACE", "TF_LOG_PATH="+filepath.Join(w.Dir, "trace.log"))
	w.plan("-out=plan.bin").ends(t, 2)
	w.run("apply", "-no-color", "plan.bin").succeeds(t)
	for _, name := range []string{"plan.bin", "terraform.tfstate", "trace.log"} {
		wantNoToken(t, name, w.read(name), s.adminToken)
	}
	shown := w.run("show", "-json", "plan.bin")
	wantNoToken(t, "the plan", shown.Output, s.adminToken)
	tokens, err := client.All(t.Context(), s.admin.Tokens)
	if err != nil {
		t.Fatal(err)
	}
	issued := 0
	for _, token := range tokens {
		if token.Description != "for a test" && token.Description != "Issued by Terraform for one run" {
			continue
		}
		issued++
		if token.RevokedAt == nil {
			t.Errorf("the token %s of %s (%s) was not revoked", token.ID, token.MemberName, token.Description)
		}
		if want := map[string]float64{"for a test": 5, "Issued by Terraform for one run": 60}[token.Description]; token.ExpiresAt.Sub(token.CreatedAt).Minutes() != want {
			t.Errorf("the token %q lives from %s to %s", token.Description, token.CreatedAt, token.ExpiresAt)
		}
	}
	if issued < 2 {
		t.Errorf("%d tokens were issued", issued)
	}
	w.set("member=rev").as(s.developer).plan().fails(t, "Cannot issue a token", "dev is a member with the role DEVELOPER")
	w.set("member=nobody").as(s.adminToken).plan().fails(t, `"nobody"`)
}

func TestOneConfigurationMakesAWorkspaceAndWhatLiesInIt(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("tenant", s.adminToken)
	w.apply().succeeds(t)
	w.plan().succeeds(t, "No changes")
	wantNoToken(t, "the state", w.read("terraform.tfstate"))
	if _, err := s.admin.Group(t.Context(), "ledger"); !client.IsNotFound(err) {
		t.Errorf("the first workspace has the group too: %v", err)
	}
	// The workspace still holds the group, until the second provider has destroyed it.
	w.destroy().succeeds(t, "Destroy complete! Resources: 3 destroyed")
	if _, err := s.admin.ReadWorkspace(t.Context(), "finance"); !client.IsNotFound(err) {
		t.Errorf("the workspace answers %v", err)
	}
}
