// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package vendorsdk

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"
	alierrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	dataworks "github.com/aliyun/alibaba-cloud-sdk-go/services/dataworks-public"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// studio is a service with a connection and an app, for a member who is a reviewer.
type studio struct {
	*servicetest.Service
	t      *testing.T
	key    accessKey
	native *client.Client
	conn   service.Connection
	app    service.App
	// project is the number of the workspace, tenant another one.
	project, tenant requests.Integer
}

func openStudio(t *testing.T) *studio {
	t.Helper()
	s := &studio{Service: servicetest.Start(t), t: t, tenant: requests.NewInteger(10003)}
	s.Database("people.db", "CREATE TABLE person (id INTEGER, name TEXT); INSERT INTO person VALUES (1, 'Ada'), (2, 'Grace')")
	s.native = s.Client(s.Developer("rev", true))
	s.key.id, s.key.secret = s.AccessKey("rev")
	who, err := s.native.WhoAmI(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.project = requests.NewInteger64(who.Workspace.Number)
	if s.conn, err = s.native.CreateConnection(t.Context(), service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "people", Engine: service.EngineSQLite, File: "people.db"}}); err != nil {
		t.Fatal(err)
	}
	if s.app, err = s.native.CreateApp(t.Context(), service.AppInput{AppSpec: service.AppSpec{Name: "shop"}}); err != nil {
		t.Fatal(err)
	}
	return s
}

// details are those of an API in script mode.
func (s *studio) details() string {
	return fmt.Sprintf(`{"isPagedResponse":false,"script":"SELECT id, name FROM person WHERE name = ${who}","scriptConnection":{"connectionId":%d,"tableName":"person"},`+
		`"scriptRequestParameters":[{"parameterName":"who","parameterDataType":0,"parameterOperator":0,"parameterPosition":1,"isRequiredParameter":true}],`+
		`"scriptResponseParameters":[{"parameterName":"id","parameterDataType":2},{"parameterName":"name","parameterDataType":0}]}`, s.conn.Number)
}

// end is when authorizations end.
func (s *studio) end() int64 { return time.Now().Add(time.Hour).Unix() }

// giveUp ends the app's right at once, which the vendor has no call for.
func (s *studio) giveUp() {
	s.t.Helper()
	l, err := s.native.Authorizations(s.t.Context(), client.AuthorizationFilter{}, client.Page{})
	if err != nil || len(l.Items) != 1 {
		s.t.Fatalf("%+v, %v", l, err)
	}
	if _, err := s.native.RevokeAuthorization(s.t.Context(), l.Items[0].ID, service.RevokeInput{RevokeAs: service.SideApp}); err != nil {
		s.t.Fatal(err)
	}
}

func TestDataWorksClientLeadsAnAPIThroughItsLife(t *testing.T) {
	s := openStudio(t)
	c := dataWorks(t, s.ControlPlane, s.key)

	group := dataworks.CreateCreateDataServiceGroupRequest()
	group.Scheme, group.ProjectId, group.TenantId, group.GroupName, group.ApiGatewayGroupId = "HTTP", s.project, s.tenant, "sales", "none"
	groupID := done(c.CreateDataServiceGroup(group))(t).GroupId
	folder := dataworks.CreateCreateDataServiceFolderRequest()
	folder.Scheme, folder.ProjectId, folder.GroupId, folder.FolderName, folder.ParentId = "HTTP", s.project, groupID, "north", "0"
	folderID := done(c.CreateDataServiceFolder(folder))(t).FolderId

	create := dataworks.CreateCreateDataServiceApiRequest()
	create.Scheme, create.ProjectId, create.TenantId, create.ApiName, create.ApiDescription, create.ApiPath = "HTTP", s.project, s.tenant, "people_api", description, "/people/by-name"
	create.GroupId, create.FolderId, create.ApiMode, create.RequestMethod, create.ResponseContentType = groupID, requests.NewInteger64(folderID), "1", "0", "0"
	create.Timeout, create.VisibleRange, create.Protocols, create.SqlMode, create.ScriptDetails = "10000", "0", "0,1", "0", s.details()
	created := done(c.CreateDataServiceApi(create))(t)
	if !created.Success || created.Data < service.FirstNumber || created.HttpStatusCode != 200 || created.RequestId == "" {
		t.Fatalf("created: %+v", created)
	}
	api := requests.NewInteger64(created.Data)
	native, err := s.native.API(t.Context(), strconv.FormatInt(created.Data, 10))
	if err != nil || native.Name != "people_api" || native.Description != description || native.Script == nil || native.ConnectionID != s.conn.ID {
		t.Errorf("natively it is %+v, %v", native, err)
	}

	update := dataworks.CreateUpdateDataServiceApiRequest()
	update.Scheme, update.ProjectId, update.ApiId, update.Timeout = "HTTP", s.project, api, "20000"
	if r := done(c.UpdateDataServiceApi(update))(t); !r.Success || !r.Data {
		t.Errorf("updated: %+v", r)
	}
	get := dataworks.CreateGetDataServiceApiRequest()
	get.Scheme, get.ProjectId, get.ApiId = "HTTP", s.project, api
	got := done(c.GetDataServiceApi(get))(t).Data
	if got.Timeout != 20000 || got.Status != 0 || got.ApiMode != 1 || got.FolderId != folderID || got.CreatorId != "rev" || len(got.Protocols) != 2 || got.ScriptDetails.ScriptConnection.ConnectionId != s.conn.Number ||
		len(got.ScriptDetails.ScriptRequestParameters) != 1 || got.ScriptDetails.ScriptRequestParameters[0].ParameterName != "who" || got.Description != description {
		t.Errorf("it is %+v", got)
	}

	test := dataworks.CreateTestDataServiceApiRequest()
	test.Scheme, test.ApiId, test.QueryParam = "HTTP", api, &[]dataworks.TestDataServiceApiQueryParam{{ParamKey: "who", ParamValue: "Ada"}}
	testID := done(c.TestDataServiceApi(test))(t).Data.TestId
	servicetest.Eventually(t, 30*time.Second, "the test is finished", func() bool {
		r := dataworks.CreateGetDataServiceApiTestRequest()
		r.Scheme, r.TestId = "HTTP", requests.Integer(testID)
		result := done(c.GetDataServiceApiTest(r))(t).Data
		if result.Status == "FINISHED" && (result.RetCode != 0 || !strings.Contains(result.RetResult, "Ada") || result.ApiId != created.Data || result.CostTime == "") {
			t.Fatalf("the test: %+v", result)
		}
		return result.Status == "FINISHED"
	})
	tests := dataworks.CreateListDataServiceApiTestRequest()
	tests.Scheme, tests.ApiId = "HTTP", api
	if r := done(c.ListDataServiceApiTest(tests))(t).Data; len(r) != 1 || strconv.FormatInt(r[0].TestId, 10) != testID || r[0].Status != "FINISHED" || r[0].CreateTime == 0 {
		t.Errorf("the tests: %+v", r)
	}
	save := dataworks.CreateSaveDataServiceApiTestResultRequest()
	save.Scheme, save.ProjectId, save.ApiId, save.AutoGenerate = "HTTP", s.project, api, requests.NewBoolean(true)
	if r := done(c.SaveDataServiceApiTestResult(save))(t); !r.Success || !r.Data {
		t.Errorf("saved: %+v", r)
	}

	submit := dataworks.CreateSubmitDataServiceApiRequest()
	submit.Scheme, submit.ProjectId, submit.ApiId = "HTTP", s.project, api
	if r := done(c.SubmitDataServiceApi(submit))(t); !r.Success || !r.Data {
		t.Errorf("submitted: %+v", r)
	}
	read := dataworks.CreateGetDataServicePublishedApiRequest()
	read.Scheme, read.ProjectId, read.TenantId, read.ApiId = "HTTP", s.project, s.tenant, api
	if r := done(c.GetDataServicePublishedApi(read))(t); r.Success || r.HttpStatusCode != 404 || r.ErrorCode != "Invalid.Tenant.ApiNotPublished" {
		t.Errorf("before it is published: %+v", r)
	}
	publish := dataworks.CreatePublishDataServiceApiRequest()
	publish.Scheme, publish.ProjectId, publish.ApiId = "HTTP", s.project, api
	if r := done(c.PublishDataServiceApi(publish))(t); !r.Success || !r.Data {
		t.Errorf("published: %+v", r)
	}
	for _, format := range []string{"JSON", "XML"} {
		read.AcceptFormat = format
		r := done(c.GetDataServicePublishedApi(read))(t)
		if d := r.Data; !r.Success || d.Status != 1 || d.ApiId != created.Data || d.OperatorId != "rev" || len(d.Protocols) != 2 || len(d.ScriptDetails.ScriptResponseParameters) != 2 || d.ScriptDetails.SuccessfulResultSample == "" {
			t.Errorf("published, in %s: %+v", format, r)
		}
	}
	list := dataworks.CreateListDataServicePublishedApisRequest()
	list.Scheme, list.ProjectId, list.ApiNameKeyword, list.PageNumber, list.PageSize = "HTTP", s.project, "people", "1", "10"
	if r := done(c.ListDataServicePublishedApis(list))(t); !r.Success || r.Data.TotalCount != 1 || len(r.Data.Apis) != 1 || r.Data.Apis[0].ApiName != "people_api" {
		t.Errorf("the published ones: %+v", r)
	}
	all := dataworks.CreateListDataServiceApisRequest()
	all.Scheme, all.ProjectId = "HTTP", s.project
	if r := done(c.ListDataServiceApis(all))(t); !r.Success || r.Data.TotalCount != 1 || r.Data.Apis[0].Status != 1 {
		t.Errorf("all: %+v", r)
	}

	s.walkFiling(c, groupID, folderID)
	s.walkAuthorities(c, created.Data)

	abolish := dataworks.CreateAbolishDataServiceApiRequest()
	abolish.Scheme, abolish.ProjectId, abolish.ApiId = "HTTP", s.project, api
	_, err = c.AbolishDataServiceApi(abolish)
	var refused *alierrors.ServerError
	if !errors.As(err, &refused) || refused.HttpStatus() != 403 || refused.ErrorCode() != "Forbidden.Access" || refused.RequestId() == "" || refused.Recommend() == "" || refused.HostId() == "" {
		t.Errorf("with an app that may call: %v", err)
	}
	s.giveUp()
	if r := done(c.AbolishDataServiceApi(abolish))(t); !r.Success || !r.Data {
		t.Errorf("taken offline: %+v", r)
	}
	remove := dataworks.CreateDeleteDataServiceApiRequest()
	remove.Scheme, remove.ProjectId, remove.ApiId = "HTTP", s.project, api
	if r := done(c.DeleteDataServiceApi(remove))(t); !r.Success || !r.Data {
		t.Errorf("deleted: %+v", r)
	}
	if r := done(c.DeleteDataServiceApi(remove))(t); r.Success || r.ErrorCode != "Invalid.Tenant.ApiNotExists" || r.ErrorMessage == "" {
		t.Errorf("deleted again: %+v", r)
	}
}

// walkFiling reads what was made of groups and folders.
func (s *studio) walkFiling(c *dataworks.Client, groupID string, folderID int64) {
	s.t.Helper()
	group := dataworks.CreateGetDataServiceGroupRequest()
	group.Scheme, group.ProjectId, group.GroupId = "HTTP", s.project, groupID
	if r := done(c.GetDataServiceGroup(group))(s.t).Group; r.GroupName != "sales" || r.CreatorId != "rev" || r.CreatedTime == "" {
		s.t.Errorf("the group: %+v", r)
	}
	groups := dataworks.CreateListDataServiceGroupsRequest()
	groups.Scheme, groups.ProjectId = "HTTP", s.project
	if r := done(c.ListDataServiceGroups(groups))(s.t).GroupPagingResult; r.TotalCount != 1 || len(r.Groups) != 1 || r.Groups[0].GroupId != groupID {
		s.t.Errorf("the groups: %+v", r)
	}
	folder := dataworks.CreateGetDataServiceFolderRequest()
	folder.Scheme, folder.ProjectId, folder.FolderId = "HTTP", s.project, requests.NewInteger64(folderID)
	if r := done(c.GetDataServiceFolder(folder))(s.t).Folder; r.FolderName != "north" || r.GroupId != groupID || r.ParentId != 0 {
		s.t.Errorf("the folder: %+v", r)
	}
	folders := dataworks.CreateListDataServiceFoldersRequest()
	folders.Scheme, folders.ProjectId, folders.GroupId = "HTTP", s.project, groupID
	if r := done(c.ListDataServiceFolders(folders))(s.t).FolderPagingResult; r.TotalCount != 1 || len(r.Folders) != 1 || r.Folders[0].FolderId != folderID {
		s.t.Errorf("the folders: %+v", r)
	}
}

// walkAuthorities lets the app call the API, and announces the end of that.
func (s *studio) walkAuthorities(c *dataworks.Client, api int64) {
	s.t.Helper()
	apps := dataworks.CreateListDataServiceApplicationsRequest()
	apps.Scheme, apps.ProjectIdList = "HTTP", string(s.project)
	if r := done(c.ListDataServiceApplications(apps))(s.t); !r.Success || len(r.Data.Applications) != 1 || r.Data.Applications[0].ApplicationId != s.app.Number {
		s.t.Errorf("the applications: %+v", r)
	}
	app := dataworks.CreateGetDataServiceApplicationRequest()
	app.Scheme, app.ProjectId, app.ApplicationId = "HTTP", s.project, requests.NewInteger64(s.app.Number)
	if r := done(c.GetDataServiceApplication(app))(s.t); !r.Success || r.Data.ApplicationKey != s.app.Key || r.Data.ApplicationSecret == "" || r.Data.ApplicationCode == "" {
		s.t.Error("the application has no key, secret and code")
	}
	grant := dataworks.CreateCreateDataServiceApiAuthorityRequest()
	grant.Scheme, grant.ProjectId, grant.AuthorizedProjectId, grant.ApiId, grant.EndTime = "HTTP", s.project, s.project, requests.NewInteger64(api), requests.NewInteger64(s.end())
	if r := done(c.CreateDataServiceApiAuthority(grant))(s.t); !r.Success {
		s.t.Errorf("authorized: %+v", r)
	}
	given := dataworks.CreateListDataServiceApiAuthoritiesRequest()
	given.Scheme, given.ProjectId = "HTTP", s.project
	if r := done(c.ListDataServiceApiAuthorities(given))(s.t); !r.Success || len(r.Data.ApiAuthorizationList) != 1 || len(r.Data.ApiAuthorizationList[0].AuthorizationRecords) != 1 || r.Data.ApiAuthorizationList[0].AuthorizationRecords[0].EndTime == "" {
		s.t.Errorf("the authorities: %+v", r)
	}
	held := dataworks.CreateListDataServiceAuthorizedApisRequest()
	held.Scheme, held.ProjectId = "HTTP", s.project
	if r := done(c.ListDataServiceAuthorizedApis(held))(s.t); !r.Success || len(r.Data.ApiAuthorizedList) != 1 || r.Data.ApiAuthorizedList[0].ApiId != api || r.Data.ApiAuthorizedList[0].GrantOperatorId != "rev" {
		s.t.Errorf("the authorized ones: %+v", r)
	}
	revoke := dataworks.CreateDeleteDataServiceApiAuthorityRequest()
	revoke.Scheme, revoke.ProjectId, revoke.AuthorizedProjectId, revoke.ApiId = "HTTP", s.project, s.project, requests.NewInteger64(api)
	if r := done(c.DeleteDataServiceApiAuthority(revoke))(s.t); !r.Success {
		s.t.Errorf("revoked: %+v", r)
	}
}

func TestWhatDataWorksClientMakesIsTerraforms(t *testing.T) {
	s := openStudio(t)
	project := string(s.project)
	groupID := s.call("CreateDataServiceGroup", map[string]any{"ProjectId": project, "GroupName": "sales"})["GroupId"]
	number, _ := s.call("CreateDataServiceApi", map[string]any{
		"ProjectId": project, "ApiName": "people_api", "ApiDescription": description, "ApiPath": "/people", "GroupId": groupID, "ApiMode": 1, "RequestMethod": 0,
		"ResponseContentType": 0, "Timeout": 10000, "VisibleRange": 0, "Protocols": "0", "ScriptDetails": strings.Replace(s.details(), `"parameterName":"who"`, `"parameterName":"who","exampleValue":"Ada"`, 1),
	})["Data"].(json.Number)
	on := map[string]any{"ProjectId": project, "ApiId": number.String()}
	s.call("PublishDataServiceApi", on)
	api, err := s.native.API(t.Context(), number.String())
	if err != nil {
		t.Fatal(err)
	}
	publications, err := s.native.Publications(t.Context(), client.PublicationFilter{APIID: api.ID}, client.Page{})
	if err != nil || len(publications.Items) != 1 {
		t.Fatalf("%+v, %v", publications, err)
	}

	// It is imported as it is.
	w := s.Workdir(s.AdminToken())
	w.Write("main.tf", fmt.Sprintf("import {\n  to = dataservice_api.people\n  id = %q\n}\nimport {\n  to = dataservice_publication.people\n  id = %q\n}\ndata \"dataservice_published_api\" \"people\" {\n  api_id = %[1]q\n}\n", api.ID, publications.Items[0].ID))
	w.Run("plan", "-generate-config-out=generated.tf", "-no-color").Succeeds(t, "2 to import, 0 to add, 0 to change, 0 to destroy")
	w.Apply().Succeeds(t, "2 imported, 0 added, 0 changed, 0 destroyed")
	w.Plan().Succeeds(t, "No changes")
	if live := w.State("data.dataservice_published_api.people"); live["name"] != "people_api" || live["version"] != "V1" {
		t.Errorf("what is live is %v", live)
	}

	// What the vendor's client changes is drift, and what Terraform makes of it is read by it.
	s.call("UpdateDataServiceApi", map[string]any{"ProjectId": project, "ApiId": number.String(), "Timeout": 20000})
	w.Plan().Ends(t, 2, "timeout_ms")
	w.Apply().Succeeds(t)
	w.Plan().Succeeds(t, "No changes")
	if got, _ := s.call("GetDataServiceApi", on)["Data"].(map[string]any); got["Timeout"] != json.Number("10000") || got["OperatorId"] != "admin" {
		t.Errorf("changed by Terraform it is %v", got)
	}
}

func TestDataWorksClientMakesErrorsOfAnswers(t *testing.T) {
	s := openStudio(t)
	s.Developer("dev", false)
	id, secret := s.AccessKey("dev")
	get := func(change func(*dataworks.GetDataServicePublishedApiRequest), key accessKey) error {
		r := dataworks.CreateGetDataServicePublishedApiRequest()
		r.Scheme, r.ProjectId, r.ApiId = requests.HTTP, s.project, "100001"
		change(r)
		_, err := dataWorks(t, s.ControlPlane, key).GetDataServicePublishedApi(r)
		return err
	}
	for _, test := range []struct {
		name   string
		change func(*dataworks.GetDataServicePublishedApiRequest)
		key    accessKey
		status int
		code   string
	}{
		{"another project", func(r *dataworks.GetDataServicePublishedApiRequest) { r.ProjectId = "10002" }, s.key, 500, "InternalError.UserId.Missing"},
		{"no API", func(r *dataworks.GetDataServicePublishedApiRequest) { r.ApiId = "" }, s.key, 400, "MissingParameter"},
		{"an API by name", func(r *dataworks.GetDataServicePublishedApiRequest) { r.ApiId = "people" }, s.key, 400, "InvalidParameter"},
		{"another secret", func(*dataworks.GetDataServicePublishedApiRequest) {}, accessKey{id, secret + "x"}, 400, "SignatureDoesNotMatch"},
		{"an action that there is not", func(r *dataworks.GetDataServicePublishedApiRequest) {
			r.InitWithApiInfo("dataworks-public", "2020-05-18", "ListProjects", "", "")
		}, s.key, 404, "InvalidAction.NotFound"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var refused *alierrors.ServerError
			if err := get(test.change, test.key); !errors.As(err, &refused) || refused.HttpStatus() != test.status || refused.ErrorCode() != test.code || refused.Message() == "" {
				t.Fatalf("it is %v", err)
			}
			// The client finds its own string to sign in the answer.
			if test.code == "SignatureDoesNotMatch" && !strings.Contains(refused.Recommend(), "AccessKeySecret") {
				t.Errorf("it recommends %q", refused.Recommend())
			}
		})
	}
}

// callDataWorks calls an action as the clients do that Alibaba Cloud generates now, with a
// form, and returns the answer.
func (s *studio) callDataWorks(action string, in map[string]any) (map[string]any, error) {
	c, err := openapi.NewClient(&openapiutil.Config{
		AccessKeyId: tea.String(s.key.id), AccessKeySecret: tea.String(s.key.secret), Protocol: tea.String("HTTP"), Endpoint: tea.String(host(s.ControlPlane)),
	})
	if err != nil {
		return nil, err
	}
	answer, err := c.CallApi(&openapiutil.Params{
		Action: tea.String(action), Version: tea.String("2020-05-18"), Protocol: tea.String("HTTP"), Pathname: tea.String("/"), Method: tea.String("POST"),
		AuthType: tea.String("AK"), Style: tea.String("RPC"), ReqBodyType: tea.String("formData"), BodyType: tea.String("json"),
	}, &openapiutil.OpenApiRequest{Body: in}, &dara.RuntimeOptions{})
	if err != nil {
		return nil, err
	}
	body, _ := answer["body"].(map[string]any)
	return body, nil
}

// call is callDataWorks for a call that goes well.
func (s *studio) call(action string, in map[string]any) map[string]any {
	s.t.Helper()
	answer, err := s.callDataWorks(action, in)
	if err != nil {
		s.t.Fatalf("%s: %v", action, err)
	}
	if success, told := answer["Success"]; told && success != true {
		s.t.Fatalf("%s: %v", action, answer)
	}
	return answer
}

func TestCallAPILeadsAnAPIThroughItsLife(t *testing.T) {
	s := openStudio(t)
	project := string(s.project)
	groupID := s.call("CreateDataServiceGroup", map[string]any{"ProjectId": project, "GroupName": "sales"})["GroupId"]
	folderID := s.call("CreateDataServiceFolder", map[string]any{"ProjectId": project, "GroupId": groupID, "FolderName": "north", "ParentId": 0})["FolderId"]
	s.call("GetDataServiceGroup", map[string]any{"ProjectId": project, "GroupId": groupID})
	s.call("GetDataServiceFolder", map[string]any{"ProjectId": project, "FolderId": folderID})
	s.call("ListDataServiceGroups", map[string]any{"ProjectId": project})
	s.call("ListDataServiceFolders", map[string]any{"ProjectId": project, "GroupId": groupID})
	created, _ := s.call("CreateDataServiceApi", map[string]any{
		"ProjectId": project, "ApiName": "people_api", "ApiDescription": description, "ApiPath": "/people", "GroupId": groupID, "FolderId": folderID, "ApiMode": 1, "RequestMethod": 0,
		"ResponseContentType": 0, "Timeout": 10000, "VisibleRange": 0, "Protocols": "0", "ScriptDetails": s.details(),
	})["Data"].(json.Number)
	on := map[string]any{"ProjectId": project, "ApiId": created.String()}
	with := func(more map[string]any) map[string]any {
		all := map[string]any{}
		for _, some := range []map[string]any{on, more} {
			for name, value := range some {
				all[name] = value
			}
		}
		return all
	}
	s.call("UpdateDataServiceApi", with(map[string]any{"Timeout": 20000}))
	test, _ := s.call("TestDataServiceApi", with(map[string]any{"QueryParam.1.ParamKey": "who", "QueryParam.1.ParamValue": "Ada"}))["Data"].(map[string]any)
	servicetest.Eventually(t, 30*time.Second, "the test is finished", func() bool {
		result, _ := s.call("GetDataServiceApiTest", map[string]any{"TestId": test["TestId"]})["Data"].(map[string]any)
		return result["Status"] == "FINISHED"
	})
	s.call("ListDataServiceApiTest", on)
	s.call("SaveDataServiceApiTestResult", with(map[string]any{"ResultSample": "{}"}))
	s.call("SubmitDataServiceApi", on)
	s.call("PublishDataServiceApi", on)
	published, _ := s.call("GetDataServicePublishedApi", on)["Data"].(map[string]any)
	if published["Status"] != json.Number("1") || published["Description"] != description {
		t.Errorf("published: %v", published)
	}
	for _, action := range []string{"ListDataServicePublishedApis", "ListDataServiceApis"} {
		if l, _ := s.call(action, map[string]any{"ProjectId": project, "PageSize": 5})["Data"].(map[string]any); l["TotalCount"] != json.Number("1") {
			t.Errorf("%s: %v", action, l)
		}
	}
	s.call("GetDataServiceApi", on)
	s.call("ListDataServiceApplications", map[string]any{"ProjectIdList": project})
	s.call("GetDataServiceApplication", map[string]any{"ProjectId": project, "ApplicationId": s.app.Number})
	s.call("CreateDataServiceApiAuthority", with(map[string]any{"AuthorizedProjectId": project, "EndTime": s.end()}))
	s.call("ListDataServiceApiAuthorities", map[string]any{"ProjectId": project})
	s.call("ListDataServiceAuthorizedApis", map[string]any{"ProjectId": project})
	s.call("DeleteDataServiceApiAuthority", with(map[string]any{"AuthorizedProjectId": project}))
	var refused *tea.SDKError
	if _, err := s.callDataWorks("AbolishDataServiceApi", on); !errors.As(err, &refused) || tea.StringValue(refused.Code) != "Forbidden.Access" || tea.IntValue(refused.StatusCode) != 403 {
		t.Errorf("with an app that may call: %v", err)
	}
	s.giveUp()
	s.call("AbolishDataServiceApi", on)
	s.call("DeleteDataServiceApi", on)
	if gone, err := s.callDataWorks("GetDataServiceApi", on); err != nil || gone["Success"] != false || gone["ErrorCode"] != "Invalid.Tenant.ApiNotExists" {
		t.Errorf("deleted it is %v, %v", gone, err)
	}
	if _, err := s.callDataWorks("ListProjects", on); !errors.As(err, &refused) || tea.StringValue(refused.Code) != "InvalidAction.NotFound" {
		t.Errorf("another action: %v", err)
	}
}
