// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package vendorsdk

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	dataworks "github.com/aliyun/alibaba-cloud-sdk-go/services/dataworks-public"
	apig "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/apig/v2"
	apigmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/apig/v2/model"
	dataarts "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1/model"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// crossing is one API that every face and Terraform lead.
type crossing struct {
	*studio
	dataWorks *dataworks.Client
	apig      *apig.ApigClient
	dataArts  *dataarts.DataArtsStudioClient
	terraform *servicetest.Workdir
	// number and id are what the faces know the API by.
	number   requests.Integer
	id       string
	instance string
	// open says that no app has to sign.
	open bool
}

// TestOneAPIThroughEveryFaceAndTerraform lets each client go on from where another one left
// the API, and read what it finds.
func TestOneAPIThroughEveryFaceAndTerraform(t *testing.T) {
	x := &crossing{studio: openStudio(t)}
	x.dataWorks = dataWorks(t, x.ControlPlane, x.key)
	x.apig = apigClient(t, x.ControlPlane, x.key, "default")
	x.dataArts = dataArts(t, x.ControlPlane, x.key)
	token := done(x.native.IssueToken(t.Context(), service.TokenInput{}))(t)
	x.terraform = x.Workdir(token.Secret)
	instances := done(x.dataArts.ListDataServiceInstancesDetail(&model.ListDataServiceInstancesDetailRequest{Workspace: space}))(t)
	x.instance = *(*instances.Instances)[0].Id

	x.made()
	x.published()
	x.imported()
	x.suspended()
	x.changed()
	x.switched()
	x.authorized()
	x.takenOffline()
	x.destroyed()
}

// made: DataWorks' client creates the API, DataArts' client opens it to everybody, and
// DataWorks' client tests it.
func (x *crossing) made() {
	create := dataworks.CreateCreateDataServiceApiRequest()
	create.Scheme, create.ProjectId, create.TenantId, create.ApiName, create.ApiPath = "HTTP", x.project, x.tenant, "people_api", "/people"
	create.ApiMode, create.RequestMethod, create.ResponseContentType, create.Timeout, create.VisibleRange, create.ApiDescription = "1", "0", "0", "10000", "0", description
	create.GroupId, create.Protocols, create.SqlMode, create.ScriptDetails = x.group(), "0,1", "0", x.details()
	created := done(x.dataWorks.CreateDataServiceApi(create))(x.t)
	if !created.Success {
		x.t.Fatalf("created: %+v", created)
	}
	x.number = requests.NewInteger64(created.Data)
	x.id = done(x.native.API(x.t.Context(), strconv.FormatInt(created.Data, 10)))(x.t).ID

	nobody := model.GetApiAuthTypeEnum().NONE
	done(x.dataArts.UpdateApi(&model.UpdateApiRequest{Workspace: space, ContentType: asJSON, ApiId: x.id, Body: &model.Api{AuthType: &nobody}}))(x.t)
	x.open = true
	test := dataworks.CreateTestDataServiceApiRequest()
	test.Scheme, test.ApiId, test.QueryParam = "HTTP", x.number, &[]dataworks.TestDataServiceApiQueryParam{{ParamKey: "who", ParamValue: "Ada"}}
	id := done(x.dataWorks.TestDataServiceApi(test))(x.t).Data.TestId
	servicetest.Eventually(x.t, 30*time.Second, "the test is finished", func() bool {
		r := dataworks.CreateGetDataServiceApiTestRequest()
		r.Scheme, r.TestId = "HTTP", requests.Integer(id)
		return done(x.dataWorks.GetDataServiceApiTest(r))(x.t).Data.Status == "FINISHED"
	})
	debugged := done(x.dataArts.SearchDebugInfo(&model.SearchDebugInfoRequest{Workspace: space, ContentType: asJSON, ApiId: x.id}))(x.t)
	if messages := *debugged.PublishMessages; len(messages) != 1 || messages[0].ApiDebug.Value() != "API_DEBUG_SUCCESS" {
		x.t.Errorf("DataArts' client sees the test as %v", debugged)
	}
}

func (x *crossing) group() string {
	group := dataworks.CreateCreateDataServiceGroupRequest()
	group.Scheme, group.ProjectId, group.TenantId, group.GroupName, group.ApiGatewayGroupId = "HTTP", x.project, x.tenant, "sales", "none"
	return done(x.dataWorks.CreateDataServiceGroup(group))(x.t).GroupId
}

// published: API Gateway's client publishes it.
func (x *crossing) published() {
	x.wantStatus("", "")
	if r := done(apigAct(x.t, x.apig, "online", x.id))(x.t); r.HttpStatusCode != http.StatusCreated {
		x.t.Errorf("online: %v", r)
	}
	x.wantStatus("PUBLISHED", "V1")
}

// imported: Terraform takes it over, with a configuration that it writes itself.
func (x *crossing) imported() {
	publication := x.publication()
	x.terraform.Write("main.tf", fmt.Sprintf(`
import {
  to = dataservice_api.people
  id = %q
}
import {
  to = dataservice_publication.people
  id = %q
}
`, x.id, publication.ID))
	x.terraform.Run("plan", "-generate-config-out=generated.tf", "-no-color").Succeeds(x.t, "2 to import, 0 to add, 0 to change, 0 to destroy")
	x.terraform.Apply().Succeeds(x.t, "2 imported, 0 added, 0 changed, 0 destroyed")
	x.wantEmptyPlan()
}

// suspended: DataArts' client suspends it, Terraform restores it, the other way round.
func (x *crossing) suspended() {
	actions := model.GetApiActionDtoActionEnum()
	x.dlm(actions.STOP)
	x.wantStatus("STOPPED", "V1")
	x.terraform.Plan().Ends(x.t, 2, `~ status = "STOPPED" -> (known after apply)`, "0 to add, 1 to change, 0 to destroy")
	x.terraform.Apply().Succeeds(x.t, "0 added, 1 changed, 0 destroyed")
	x.wantStatus("PUBLISHED", "V1")

	x.rewrite(`desired_status = "PUBLISHED"`, `desired_status = "STOPPED"`)
	x.terraform.Apply().Succeeds(x.t, "0 added, 1 changed, 0 destroyed")
	x.wantStatus("STOPPED", "V1")
	x.dlm(actions.RECOVER)
	x.wantStatus("PUBLISHED", "V1")
	x.rewrite(`desired_status = "STOPPED"`, `desired_status = "PUBLISHED"`)
	x.wantEmptyPlan()
}

// changed: Terraform changes the definition, so that apps have to sign again, and publishes
// it anew.
func (x *crossing) changed() {
	x.rewrite(`auth_type = "NONE"`, `auth_type = "APP"`)
	x.rewrite("debug = null", `debug = { parameters = { who = "Ada" } }`)
	x.open = false
	x.rewrite("timeout_ms = 10000", "timeout_ms = 20000")
	x.rewrite("api_revision = 2", "api_revision = dataservice_api.people.revision")
	x.rewrite(`version = "V1"`, "")
	x.terraform.Apply().Succeeds(x.t, "0 added, 2 changed, 0 destroyed")
	x.wantStatus("PUBLISHED", "V2")
	read := dataworks.CreateGetDataServicePublishedApiRequest()
	read.Scheme, read.ProjectId, read.TenantId, read.ApiId = "HTTP", x.project, x.tenant, x.number
	if r := done(x.dataWorks.GetDataServicePublishedApi(read))(x.t); r.Data.Timeout != 20000 {
		x.t.Errorf("DataWorks' client sees a timeout of %d ms", r.Data.Timeout)
	}
	x.wantEmptyPlan()
}

// switched: API Gateway's client switches back to the first version, and Terraform to the second.
func (x *crossing) switched() {
	env := apigRelease
	versions := *done(x.apig.ListApiVersionsV2(&apigmodel.ListApiVersionsV2Request{InstanceId: "default", ApiId: x.id, EnvId: &env}))(x.t).ApiVersions
	if len(versions) != 2 {
		x.t.Fatalf("versions: %v", versions)
	}
	done(x.apig.ChangeApiVersionV2(&apigmodel.ChangeApiVersionV2Request{InstanceId: "default", ApiId: x.id, Body: &apigmodel.ApiVersion{VersionId: versions[1].VersionId}}))(x.t)
	x.open = true // as it was then
	x.wantStatus("PUBLISHED", "V1")
	x.open = false
	x.terraform.Plan().Ends(x.t, 2, "0 to add, 1 to change, 0 to destroy")
	x.terraform.Apply().Succeeds(x.t, "0 added, 1 changed, 0 destroyed")
	if live := x.publication().Live; live == nil || live.Revision != 3 {
		x.t.Errorf("%+v is live", live)
	}
	x.wantEmptyPlan()
}

// authorized: API Gateway's client lets an app call it, and DataArts' client gives that up.
func (x *crossing) authorized() {
	done(x.apig.CreateAuthorizingAppsV2(&apigmodel.CreateAuthorizingAppsV2Request{
		InstanceId: "default", Body: &apigmodel.ApiAuthCreate{EnvId: apigRelease, AppIds: []string{x.app.ID}, ApiIds: []string{x.id}},
	}))(x.t)
	bound := func() (apps []string) {
		l := done(x.dataArts.SearchAuthorizeApp(&model.SearchAuthorizeAppRequest{Workspace: space, ContentType: asJSON, ApiId: x.id}))(x.t)
		for _, r := range *l.Records {
			apps = append(apps, *r.AppName)
		}
		return apps
	}
	if apps := bound(); len(apps) != 1 || apps[0] != "shop" {
		x.t.Errorf("DataArts' client sees the apps %v", apps)
	}
	held := dataworks.CreateListDataServiceAuthorizedApisRequest()
	held.Scheme, held.ProjectId = "HTTP", x.project
	if r := done(x.dataWorks.ListDataServiceAuthorizedApis(held))(x.t).Data.ApiAuthorizedList; len(r) != 1 || r[0].ApiName != "people_api" {
		x.t.Errorf("DataWorks' client sees %v", r)
	}
	x.wantEmptyPlan()
	kind := model.GetApiParaForAuthToInstanceApplyTypeEnum().APPLY_TYPE_APP_CANCEL_AUTHORIZE
	done(x.dataArts.AuthorizeActionApiToInstance(&model.AuthorizeActionApiToInstanceRequest{
		Workspace: space, ContentType: asJSON, Body: &model.ApiParaForAuthToInstance{ApiId: &x.id, InstanceId: &x.instance, AppId: &x.app.ID, ApplyType: &kind},
	}))(x.t)
	if apps := bound(); len(apps) != 0 {
		x.t.Errorf("given up, and DataArts' client sees the apps %v", apps)
	}
}

// takenOffline: each of the three takes it offline once, and Terraform brings it back.
func (x *crossing) takenOffline() {
	for name, call := range map[string]func(){
		"DataWorks":   x.abolish,
		"DataArts":    func() { x.dlm(model.GetApiActionDtoActionEnum().UNPUBLISH) },
		"API Gateway": func() { done(apigAct(x.t, x.apig, "offline", x.id))(x.t) },
	} {
		call()
		x.wantStatus("OFFLINE", "")
		x.terraform.Plan().Ends(x.t, 2, "1 to add, 0 to change, 0 to destroy")
		if r := x.terraform.Apply(); r.Code != 0 {
			x.t.Fatalf("after %s: %s", name, r.Output)
		}
		x.wantEmptyPlan()
	}
}

func (x *crossing) abolish() {
	r := dataworks.CreateAbolishDataServiceApiRequest()
	r.Scheme, r.ProjectId, r.ApiId = "HTTP", x.project, x.number
	done(x.dataWorks.AbolishDataServiceApi(r))(x.t)
}

// destroyed: Terraform ends it, and nobody sees it any more.
func (x *crossing) destroyed() {
	x.terraform.Destroy().Succeeds(x.t, "2 destroyed")
	_, err := x.apig.ShowDetailsOfApiV2(&apigmodel.ShowDetailsOfApiV2Request{InstanceId: "default", ApiId: x.id})
	apigRefused(x.t, err, http.StatusNotFound, "APIG.3002", "")
	_, err = x.dataArts.ShowApi(&model.ShowApiRequest{Workspace: space, ContentType: asJSON, ApiId: x.id})
	if got := refusal(x.t, err); got.ErrorCode != "DLM.4018" {
		x.t.Errorf("DataArts' client is answered %+v", got)
	}
	all := dataworks.CreateListDataServiceApisRequest()
	all.Scheme, all.ProjectId = "HTTP", x.project
	if r := done(x.dataWorks.ListDataServiceApis(all))(x.t); r.Data.TotalCount != 0 {
		x.t.Errorf("DataWorks' client sees %+v", r.Data)
	}
}

func (x *crossing) dlm(action model.ApiActionDtoAction) {
	x.t.Helper()
	done(x.dataArts.ExecuteApiToInstance(&model.ExecuteApiToInstanceRequest{
		Workspace: space, ContentType: asJSON, ApiId: x.id, InstanceId: x.instance, Body: &model.ApiActionDto{Action: &action},
	}))(x.t)
}

func (x *crossing) publication() service.Publication {
	x.t.Helper()
	l := done(x.native.Publications(x.t.Context(), client.PublicationFilter{APIID: x.id}, client.Page{}))(x.t)
	if len(l.Items) != 1 {
		x.t.Fatalf("publications: %+v", l.Items)
	}
	return l.Items[0]
}

// rewrite changes the configuration that Terraform wrote.
func (x *crossing) rewrite(before, after string) {
	x.t.Helper()
	// Terraform aligns the equals signs.
	name, value, _ := strings.Cut(before, " = ")
	lines := strings.Split(x.terraform.Read("generated.tf"), "\n")
	for i, line := range lines {
		if fields := strings.SplitN(strings.TrimSpace(line), "=", 2); len(fields) == 2 && strings.TrimSpace(fields[0]) == name && strings.TrimSpace(fields[1]) == value {
			lines[i] = after
			x.terraform.Write("generated.tf", strings.Join(lines, "\n"))
			return
		}
	}
	x.t.Fatalf("the configuration has no %s:\n%s", before, strings.Join(lines, "\n"))
}

func (x *crossing) wantEmptyPlan() {
	x.t.Helper()
	x.terraform.Plan().Ends(x.t, 0, "No changes")
}

// wantStatus makes sure that every client sees the API so, with that version live, and that
// it can be called just then.
func (x *crossing) wantStatus(status, version string) {
	x.t.Helper()
	info := done(x.dataArts.SearchPublishInfo(&model.SearchPublishInfoRequest{Workspace: space, ContentType: asJSON, ApiId: x.id}))(x.t)
	var seen string
	for _, m := range *info.PublishMessages {
		seen = strings.TrimPrefix(m.ApiStatus.Value(), "API_STATUS_")
	}
	if want := status; seen != want {
		x.t.Errorf("DataArts' client sees it %s, want %s", seen, want)
	}
	detail := done(x.apig.ShowDetailsOfApiV2(&apigmodel.ShowDetailsOfApiV2Request{InstanceId: "default", ApiId: x.id}))(x.t)
	if published := detail.RunEnvId != nil && strings.Contains(*detail.RunEnvId, apigRelease); published != (version != "") {
		x.t.Errorf("API Gateway's client sees it published in %v", detail.RunEnvId)
	}
	read := dataworks.CreateGetDataServicePublishedApiRequest()
	read.Scheme, read.ProjectId, read.TenantId, read.ApiId = "HTTP", x.project, x.tenant, x.number
	answer := done(x.dataWorks.GetDataServicePublishedApi(read))(x.t)
	if published := version != ""; answer.Success != published || published && (answer.Data.Status == 1) != (status == "PUBLISHED") {
		x.t.Errorf("DataWorks' client sees it so, where it is %s: %+v", status, answer)
	}
	want := http.StatusNotFound
	switch {
	case version != "" && !x.open:
		want = http.StatusUnauthorized // no app has signed
	case status == "PUBLISHED":
		want = http.StatusOK
	case status == "STOPPED":
		want = http.StatusForbidden
	}
	if got, body := x.Call("/people?who=Ada"); got != want {
		x.t.Errorf("a call is answered %d %s, want %d", got, body, want)
	}
	if p := done(x.native.Publications(x.t.Context(), client.PublicationFilter{APIID: x.id}, client.Page{}))(x.t).Items; len(p) == 1 && p[0].Live != nil && p[0].Live.Name != version {
		x.t.Errorf("%s is live, want %s", p[0].Live.Name, version)
	}
}
