// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package vendorsdk

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	apig "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/apig/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/apig/v2/model"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
)

const apigRelease = service.ReleaseEnvironmentID

// apigHouse is a service that has an admin, a developer, a reviewer and a visitor, each with a client
// of API Gateway, and a backend.
type apigHouse struct {
	*servicetest.Service
	t               *testing.T
	dev, rev, guest *apig.ApigClient
	admin           *apig.ApigClient
	devToken        string
	backend         string
}

func startAPIG(t *testing.T) *apigHouse {
	t.Helper()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"path": r.URL.Path, "query": r.URL.RawQuery})
	}))
	t.Cleanup(backend.Close)
	g := &apigHouse{Service: servicetest.Start(t, "--allow-backend-cidr", "127.0.0.0/8"), t: t, backend: strings.TrimPrefix(backend.URL, "http://")}
	g.devToken = g.Developer("dev", false)
	g.Developer("rev", true)
	g.Developer("guest", false)
	if _, err := g.Client(g.AdminToken()).UpdateMember(t.Context(), "guest", service.MemberInput{Name: "guest", Role: service.RoleVisitor}); err != nil {
		t.Fatal(err)
	}
	g.dev, g.rev, g.guest, g.admin = g.client("dev"), g.client("rev"), g.client("guest"), g.client("admin")
	g.Database("numbers.db", "CREATE TABLE numbers (n INTEGER); INSERT INTO numbers VALUES (1), (2)")
	return g
}

func apigClient(t *testing.T, url string, key accessKey, project string) *apig.ApigClient {
	t.Helper()
	credentials, err := basic.NewCredentialsBuilder().WithAk(key.id).WithSk(key.secret).WithProjectId(project).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	c, err := apig.ApigClientBuilder().WithEndpoints([]string{url}).WithCredential(credentials).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return apig.NewApigClient(c)
}

func (g *apigHouse) client(member string) *apig.ApigClient {
	g.t.Helper()
	id, secret := g.AccessKey(member)
	return apigClient(g.t, g.ControlPlane, accessKey{id, secret}, "default")
}

// apigBody is a body of the SDK with these members, by their names on the wire.
func apigBody[T any](t *testing.T, members map[string]any) *T {
	t.Helper()
	data, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	var body T
	if err := json.Unmarshal(data, &body); err != nil {
		t.Fatal(err)
	}
	return &body
}

// apigRefused checks the error that the SDK makes of an answer.
func apigRefused(t *testing.T, err error, status int, code, says string) {
	t.Helper()
	got := refusal(t, err)
	if got.StatusCode != status || got.ErrorCode != code || !strings.HasPrefix(got.ErrorMessage, says) || got.RequestId == "" {
		t.Errorf("%+v, want %d %s %q", got, status, code, says)
	}
}

// apigAct calls the documented call.
func apigAct(t *testing.T, c *apig.ApigClient, action, api string) (*model.CreateOrDeletePublishRecordForApiV2Response, error) {
	t.Helper()
	return c.CreateOrDeletePublishRecordForApiV2(&model.CreateOrDeletePublishRecordForApiV2Request{
		InstanceId: "default", Body: apigBody[model.ApiActionInfo](t, map[string]any{"action": action, "env_id": apigRelease, "api_id": api, "remark": "r1"}),
	})
}

// numbers creates an API that SQL answers, natively.
func (g *apigHouse) numbers(name string) string {
	g.t.Helper()
	c := g.Client(g.devToken)
	conn, err := c.Connection(g.t.Context(), "numbers")
	if err != nil {
		conn = done(c.CreateConnection(g.t.Context(), service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "numbers", Engine: service.EngineSQLite, File: "numbers.db"}}))(g.t)
	}
	return done(c.CreateAPI(g.t.Context(), service.APIInput{APISpec: service.APISpec{Name: name, Definition: service.Definition{
		Path: "/" + name, Method: service.MethodGet, AuthType: service.AuthNone, ConnectionID: conn.ID,
		Script: &service.Script{SQL: "SELECT n FROM numbers"}, ResponseParameters: map[string]service.ResponseParameter{"n": {Type: service.TypeInt}},
	}}}))(g.t).ID
}

func (g *apigHouse) group(name string) string {
	g.t.Helper()
	remark := "r"
	return done(g.dev.CreateApiGroupV2(&model.CreateApiGroupV2Request{InstanceId: "default", Body: &model.ApiGroupCreate{Name: name, Remark: &remark}}))(g.t).Id
}

// registered is the body of an API that a backend answers.
func (g *apigHouse) registered(name, group, method string) *model.ApiCreate {
	g.t.Helper()
	return apigBody[model.ApiCreate](g.t, map[string]any{
		"name": name, "type": 1, "req_protocol": "BOTH", "req_method": method, "req_uri": "/" + name, "auth_type": "APP", "backend_type": "HTTP", "group_id": group, "remark": "Web backend API",
		"backend_api":    map[string]any{"url_domain": g.backend, "req_protocol": "HTTP", "req_method": method, "req_uri": "/b/{city}", "timeout": 5000, "vpc_channel_status": 2},
		"req_params":     []any{map[string]any{"name": "city", "type": "STRING", "location": "QUERY", "required": 1, "sample_value": "Bonn"}},
		"backend_params": []any{map[string]any{"origin": "REQUEST", "name": "city", "location": "PATH", "value": "city"}},
	})
}

// TestAPIGatewaysDocumentedCall is the call of apig-publish-offline and every error that is
// documented there, but 500, which takes a store that fails.
func TestAPIGatewaysDocumentedCall(t *testing.T) {
	g := startAPIG(t)
	api := g.numbers("numbers_api")
	online := done(apigAct(t, g.rev, "online", api))(t)
	if online.HttpStatusCode != 201 || *online.ApiId != api || *online.ApiName != "numbers_api" || *online.EnvId != apigRelease || *online.Remark != "r1" || !service.IsID(*online.PublishId) || !service.IsID(*online.VersionId) || time.Since(time.Time(*online.PublishTime)) > time.Minute {
		t.Errorf("online: %s", online)
	}
	g.WantCall("/numbers_api", 200)
	offline := done(apigAct(t, g.rev, "offline", api))(t)
	if offline.HttpStatusCode != 201 || *offline.PublishId != *online.PublishId || *offline.VersionId != *online.VersionId {
		t.Errorf("offline: %s", offline)
	}
	g.WantCall("/numbers_api", 404)

	_, err := apigAct(t, g.rev, "publish", api)
	apigRefused(t, err, 400, "APIG.2011", "Invalid parameter value,parameterName:action. Please refer to the support documentation")
	_, err = apigAct(t, apigClient(t, g.ControlPlane, accessKey{"nobodys", "secret"}, "default"), "online", api)
	apigRefused(t, err, 401, "APIG.1002", "Incorrect token or token resolution failed")
	for name, c := range map[string]*apig.ApigClient{"a visitor": g.guest, "whom a reviewer has to decide for": g.dev} {
		_, err = apigAct(t, c, "online", api)
		t.Log(name)
		apigRefused(t, err, 403, "APIG.1005", "No permissions to request this method")
	}
	_, err = apigAct(t, g.rev, "online", "5f918d104dc84480a75166ba99efff21")
	apigRefused(t, err, 404, "APIG.3002", "API 5f918d104dc84480a75166ba99efff21 does not exist")
	_, err = apigAct(t, g.rev, "offline", api)
	apigRefused(t, err, 404, "APIG.3015", "API "+api)
	id, secret := g.AccessKey("rev")
	_, err = apigAct(t, apigClient(t, g.ControlPlane, accessKey{id, secret}, "elsewhere"), "online", api)
	apigRefused(t, err, 403, "APIG.1005", "No permissions to request this method")

	// The path is another API's: a conflict.
	taken := g.registered("taken_api", g.group("weather"), "GET")
	taken.ReqUri = "/numbers_api"
	second := done(g.dev.CreateApiV2(&model.CreateApiV2Request{InstanceId: "default", Body: taken}))(t)
	done(apigAct(t, g.rev, "online", api))(t)
	_, err = apigAct(t, g.rev, "online", *second.Id)
	apigRefused(t, err, 409, "APIG.3718", "The path GET /numbers_api is taken in RELEASE")
}

func TestAnAPILivesThroughAPIGatewaysClient(t *testing.T) {
	g := startAPIG(t)
	group := g.group("weather")
	made := done(g.dev.CreateApiV2(&model.CreateApiV2Request{InstanceId: "default", Body: g.registered("weather_api", group, "GET")}))(t)
	id := *made.Id
	show := func() *model.ShowDetailsOfApiV2Response {
		t.Helper()
		return done(g.dev.ShowDetailsOfApiV2(&model.ShowDetailsOfApiV2Request{InstanceId: "default", ApiId: id}))(t)
	}
	shown := show()
	if made.HttpStatusCode != 201 || shown.Name != "weather_api" || *shown.GroupName != "weather" || *shown.BackendApi.UrlDomain != g.backend || *shown.BackendApi.ReqUri != "/b/{city}" || len(*shown.ReqParams) != 1 || (*shown.BackendParams)[0].Name != "city" || shown.RunEnvId != nil {
		t.Errorf("created: %s", shown)
	}
	stage := done(g.admin.CreateEnvironmentV2(&model.CreateEnvironmentV2Request{InstanceId: "default", Body: &model.EnvCreate{Name: "DEV"}}))(t)
	inStage := apigBody[model.ApiActionInfo](t, map[string]any{"action": "online", "env_id": *stage.Id, "api_id": id})
	first := done(apigAct(t, g.rev, "online", id))(t)
	done(g.rev.CreateOrDeletePublishRecordForApiV2(&model.CreateOrDeletePublishRecordForApiV2Request{InstanceId: "default", Body: inStage}))(t)
	if shown = show(); *shown.RunEnvName != "DEV|RELEASE" || *shown.RunEnvId != *stage.Id+"|"+apigRelease || !strings.HasSuffix(*shown.PublishId, "|"+*first.PublishId) {
		t.Errorf("published: %s", shown)
	}
	change := g.registered("weather_api", group, "GET")
	change.ReqUri = "/weather/now"
	updated := done(g.dev.UpdateApiV2(&model.UpdateApiV2Request{InstanceId: "default", ApiId: id, Body: change}))(t)
	if updated.ReqUri != "/weather/now" {
		t.Errorf("changed: %s", updated)
	}
	runtime := func() string {
		t.Helper()
		return done(g.dev.ListApiRuntimeDefinitionV2(&model.ListApiRuntimeDefinitionV2Request{InstanceId: "default", ApiId: id}))(t).ReqUri
	}
	if runtime() != "/weather_api" {
		t.Errorf("what is live is at %s before it is published", runtime())
	}
	second := done(apigAct(t, g.rev, "online", id))(t)
	if runtime() != "/weather/now" || *second.PublishId != *first.PublishId {
		t.Errorf("what is live is at %s", runtime())
	}
	env := apigRelease
	versions := done(g.dev.ListApiVersionsV2(&model.ListApiVersionsV2Request{InstanceId: "default", ApiId: id, EnvId: &env}))(t)
	if versions.Total != 2 || *(*versions.ApiVersions)[0].VersionId != *second.VersionId || (*versions.ApiVersions)[0].Status.Value() != 1 || (*versions.ApiVersions)[1].Status.Value() != 2 {
		t.Errorf("versions: %s", versions)
	}
	old := done(g.dev.ListApiVersionDetailV2(&model.ListApiVersionDetailV2Request{InstanceId: "default", VersionId: *first.VersionId}))(t)
	if old.ReqUri != "/weather_api" || *old.VersionId != *first.VersionId {
		t.Errorf("the first version: %s", old)
	}
	back := done(g.rev.ChangeApiVersionV2(&model.ChangeApiVersionV2Request{InstanceId: "default", ApiId: id, Body: &model.ApiVersion{VersionId: first.VersionId}}))(t)
	if *back.VersionId != *first.VersionId || runtime() != "/weather_api" {
		t.Errorf("switched back: %s", back)
	}
	_, err := g.dev.DeleteApiV2(&model.DeleteApiV2Request{InstanceId: "default", ApiId: id})
	apigRefused(t, err, 403, "APIG.3416", "The API \"weather_api\" is still held")
	_, err = g.admin.DeleteEnvironmentV2(&model.DeleteEnvironmentV2Request{InstanceId: "default", EnvId: *stage.Id})
	apigRefused(t, err, 403, "APIG.3418", "The environment DEV has publications")
	done(g.rev.DeleteApiByVersionIdV2(&model.DeleteApiByVersionIdV2Request{InstanceId: "default", VersionId: *first.VersionId}))(t)
	batch := &model.BatchPublishOrOfflineApiV2Request{InstanceId: "default", Action: "offline", Body: &model.ApiBatchPublish{Apis: &[]string{id, "none"}, EnvId: *stage.Id}}
	ended := done(g.rev.BatchPublishOrOfflineApiV2(batch))(t)
	if len(*ended.Success) != 1 || len(*ended.Failure) != 1 || *(*ended.Failure)[0].ErrorCode != "APIG.3002" {
		t.Errorf("batch: %s", ended)
	}
	byGroup := &model.BatchPublishOrOfflineApiV2Request{InstanceId: "default", Action: "online", Body: &model.ApiBatchPublish{GroupId: &group, EnvId: apigRelease}}
	if got := done(g.rev.BatchPublishOrOfflineApiV2(byGroup))(t); len(*got.Success) != 1 {
		t.Errorf("by group: %s", got)
	}
	done(apigAct(t, g.rev, "offline", id))(t)
	if deleted := done(g.dev.DeleteApiV2(&model.DeleteApiV2Request{InstanceId: "default", ApiId: id}))(t); deleted.HttpStatusCode != 204 {
		t.Errorf("deleted: %d", deleted.HttpStatusCode)
	}
	_, err = g.dev.ShowDetailsOfApiV2(&model.ShowDetailsOfApiV2Request{InstanceId: "default", ApiId: id})
	apigRefused(t, err, 404, "APIG.3002", "API "+id)
}

func TestAPIGatewaysClientAuthorizesApps(t *testing.T) {
	g := startAPIG(t)
	group := g.group("weather")
	api := *done(g.dev.CreateApiV2(&model.CreateApiV2Request{InstanceId: "default", Body: g.registered("weather_api", group, "GET")}))(t).Id
	remark := "Demo app"
	app := done(g.guest.CreateAnAppV2(&model.CreateAnAppV2Request{InstanceId: "default", Body: &model.AppCreate{Name: "app_demo", Remark: &remark}}))(t)
	if app.HttpStatusCode != 201 || *app.AppKey == "" || *app.AppSecret == "" || app.AppType.Value() != "apig" {
		t.Errorf("created: %+v", app)
	}
	shown := done(g.guest.ShowDetailsOfAppV2(&model.ShowDetailsOfAppV2Request{InstanceId: "default", AppId: *app.Id}))(t)
	if *shown.AppSecret != *app.AppSecret || *shown.Remark != remark {
		t.Errorf("shown: %+v", shown)
	}
	done(g.guest.UpdateAppV2(&model.UpdateAppV2Request{InstanceId: "default", AppId: *app.Id, Body: &model.AppCreate{Name: "app_other"}}))(t)
	name := "OTHER"
	if apps := done(g.guest.ListAppsV2(&model.ListAppsV2Request{InstanceId: "default", Name: &name}))(t); apps.Total != 1 || *(*apps.Apps)[0].Name != "app_other" {
		t.Errorf("listed: %+v", apps)
	}
	request := &model.CreateAuthorizingAppsV2Request{InstanceId: "default", Body: &model.ApiAuthCreate{EnvId: apigRelease, AppIds: []string{*app.Id}, ApiIds: []string{api}}}
	auths := done(g.rev.CreateAuthorizingAppsV2(request))(t)
	made := (*auths.Auths)[0]
	if auths.HttpStatusCode != 201 || made.AuthResult.Status.Value() != "SUCCESS" || *made.AppId != *app.Id {
		t.Errorf("authorized: %s", auths)
	}
	byApp := done(g.rev.ListApisBindedToAppV2(&model.ListApisBindedToAppV2Request{InstanceId: "default", AppId: *app.Id}))(t)
	byAPI := done(g.rev.ListAppsBindedToApiV2(&model.ListAppsBindedToApiV2Request{InstanceId: "default", ApiId: &api}))(t)
	if byApp.Total != 1 || *(*byApp.Auths)[0].ApiName != "weather_api" || *(*byApp.Auths)[0].GroupName != "weather" || byAPI.Total != 1 || *(*byAPI.Auths)[0].AppName != "app_other" || *(*byAPI.Auths)[0].Id != *made.Id {
		t.Errorf("listed: %s, %s", byApp, byAPI)
	}
	// What apps have to be told of first is refused: these calls are at once.
	done(apigAct(t, g.rev, "online", api))(t)
	_, err := apigAct(t, g.rev, "offline", api)
	apigRefused(t, err, 403, "APIG.1005", "No permissions to request this method: Cannot unpublish weather_api in RELEASE at once")
	_, err = g.rev.CancelingAuthorizationV2(&model.CancelingAuthorizationV2Request{InstanceId: "default", AppAuthId: *made.Id})
	apigRefused(t, err, 403, "APIG.1005", "No permissions to request this method: Cannot end the authorization")
	if got := done(g.guest.CancelingAuthorizationV2(&model.CancelingAuthorizationV2Request{InstanceId: "default", AppAuthId: *made.Id}))(t); got.HttpStatusCode != 204 {
		t.Errorf("given up: %d", got.HttpStatusCode)
	}
	done(apigAct(t, g.rev, "offline", api))(t)
	done(g.guest.DeleteAppV2(&model.DeleteAppV2Request{InstanceId: "default", AppId: *app.Id}))(t)
	_, err = g.guest.ShowDetailsOfAppV2(&model.ShowDetailsOfAppV2Request{InstanceId: "default", AppId: *app.Id})
	apigRefused(t, err, 404, "APIG.3004", "App "+*app.Id)
}

func TestAPIGatewaysClientManagesGroupsAndEnvironmentsAndDebugs(t *testing.T) {
	g := startAPIG(t)
	admin := g.admin
	group := g.group("weather")
	if got := done(g.dev.UpdateApiGroupV2(&model.UpdateApiGroupV2Request{InstanceId: "default", GroupId: group, Body: &model.ApiGroupBase{Name: "climate"}}))(t); got.Name != "climate" {
		t.Errorf("changed: %s", got)
	}
	if got := done(g.dev.ShowDetailsOfApiGroupV2(&model.ShowDetailsOfApiGroupV2Request{InstanceId: "default", GroupId: group}))(t); got.Name != "climate" || got.Status.Value() != 1 {
		t.Errorf("shown: %s", got)
	}
	_, err := g.dev.CreateApiGroupV2(&model.CreateApiGroupV2Request{InstanceId: "default", Body: &model.ApiGroupCreate{Name: "climate"}})
	apigRefused(t, err, 400, "APIG.3201", "The API group name already exists")

	created := done(admin.CreateEnvironmentV2(&model.CreateEnvironmentV2Request{InstanceId: "default", Body: &model.EnvCreate{Name: "DEV"}}))(t)
	_, err = admin.CreateEnvironmentV2(&model.CreateEnvironmentV2Request{InstanceId: "default", Body: &model.EnvCreate{Name: "DEV"}})
	apigRefused(t, err, 400, "APIG.3205", "The environment name already exists")
	if got := done(admin.UpdateEnvironmentV2(&model.UpdateEnvironmentV2Request{InstanceId: "default", EnvId: *created.Id, Body: &model.EnvCreate{Name: "TEST"}}))(t); *got.Name != "TEST" {
		t.Errorf("changed: %s", got)
	}
	instances := done(admin.ListInstancesV2(&model.ListInstancesV2Request{}))(t)
	one := done(admin.ShowDetailsOfInstanceV2(&model.ShowDetailsOfInstanceV2Request{InstanceId: *(*instances.Instances)[0].Id}))(t)
	if instances.Total != 1 || *one.InstanceName != "default" || one.Status.Value() != "Running" {
		t.Errorf("instances: %s, %s", instances, one)
	}
	listed := done(admin.ListEnvironmentsV2(&model.ListEnvironmentsV2Request{InstanceId: "default"}))(t)
	if listed.Total != 2 || !slices.ContainsFunc(*listed.Envs, func(e model.EnvInfo) bool { return *e.Id == apigRelease && *e.Name == "RELEASE" }) {
		t.Errorf("listed: %s", listed)
	}
	done(admin.DeleteEnvironmentV2(&model.DeleteEnvironmentV2Request{InstanceId: "default", EnvId: *created.Id}))(t)
	_, err = admin.DeleteEnvironmentV2(&model.DeleteEnvironmentV2Request{InstanceId: "elsewhere", EnvId: *created.Id})
	apigRefused(t, err, 404, "APIG.3030", "The instance does not exist;id:elsewhere")

	// A POST is not called before somebody asks for it, and is not published either.
	api := *done(g.dev.CreateApiV2(&model.CreateApiV2Request{InstanceId: "default", Body: g.registered("weather_api", group, "POST")}))(t).Id
	_, err = apigAct(t, g.rev, "online", api)
	apigRefused(t, err, 403, "APIG.1005", "Revision 1 of \"weather_api\" cannot be published")
	debug := done(g.dev.DebugApiV2(&model.DebugApiV2Request{InstanceId: "default", ApiId: api, Body: apigBody[model.ApiDebugInfo](t, map[string]any{
		"mode": "DEVELOPER", "scheme": "HTTP", "method": "POST", "path": "/weather_api", "query": map[string]any{"city": []string{"Bonn"}}, "body": "{}",
	})}))(t)
	if !strings.HasPrefix(*debug.Response, "HTTP/1.1 200 OK") || !strings.Contains(*debug.Response, `"path":"/b/Bonn"`) || !strings.HasPrefix(*debug.Request, "POST /weather_api?city=Bonn") {
		t.Errorf("debugged: %s", debug)
	}
	done(apigAct(t, g.rev, "online", api))(t)

	mock := g.registered("mock_api", group, "GET")
	mock.BackendType = model.GetApiCreateBackendTypeEnum().MOCK
	_, err = g.dev.CreateApiV2(&model.CreateApiV2Request{InstanceId: "default", Body: mock})
	apigRefused(t, err, 400, "APIG.2011", "Invalid parameter value,parameterName:backend_type. ")
	_, err = g.dev.DeleteApiGroupV2(&model.DeleteApiGroupV2Request{InstanceId: "default", GroupId: group})
	apigRefused(t, err, 403, "APIG.3415", "The group \"climate\" still holds")
	empty := g.group("traffic")
	done(g.dev.DeleteApiGroupV2(&model.DeleteApiGroupV2Request{InstanceId: "default", GroupId: empty}))(t)
	if groups := done(g.dev.ListApiGroupsV2(&model.ListApiGroupsV2Request{InstanceId: "default"}))(t); groups.Total != 1 || (*groups.Groups)[0].Name != "climate" {
		t.Errorf("listed: %s", groups)
	}
	if _, err = g.dev.ListAppQuotas(&model.ListAppQuotasRequest{InstanceId: "default"}); err != nil {
		apigRefused(t, err, 501, "APIG.0101", "This service does not answer GET")
	} else {
		t.Error("a call that there is not is answered")
	}
}

func TestAPIGatewaysClientPagesThrough250(t *testing.T) {
	g := startAPIG(t)
	group := g.group("weather")
	for i := range 250 {
		done(g.dev.CreateApiV2(&model.CreateApiV2Request{InstanceId: "default", Body: g.registered(fmt.Sprintf("many_%03d", i), group, "POST")}))(t)
	}
	left := map[string]bool{}
	for i := range 250 {
		left[fmt.Sprintf("many_%03d", i)] = true
	}
	limit := int32(30)
	for offset := int64(0); ; {
		page := done(g.dev.ListApisV2(&model.ListApisV2Request{InstanceId: "default", Offset: &offset, Limit: &limit, GroupId: &group}))(t)
		if page.Total != 250 || int(page.Size) != len(*page.Apis) {
			t.Fatalf("%d of %d", page.Size, page.Total)
		}
		for _, api := range *page.Apis {
			if !left[api.Name] {
				t.Fatalf("%s comes twice", api.Name)
			}
			delete(left, api.Name)
		}
		if page.Size == 0 {
			break
		}
		offset += int64(page.Size)
	}
	if len(left) > 0 {
		t.Errorf("%d are missing", len(left))
	}
}
