// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package vendorsdk

import (
	"fmt"
	"strings"
	"testing"
	"time"

	dataarts "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1/model"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
)

const (
	space = "default"
	// asJSON is what the SDK wants to be told of every request.
	asJSON = "application/json"
)

// shop is a service with a database, a developer and a reviewer, who each have a client.
type shop struct {
	*servicetest.Service
	t        *testing.T
	dev, rev *dataarts.DataArtsStudioClient
	conn     service.Connection
	instance string
	token    string
}

func openShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{Service: servicetest.Start(t), t: t}
	s.Database("shop.db", "CREATE TABLE orders (id INTEGER, day TEXT, total REAL); INSERT INTO orders VALUES (1, '2021-01-01', 9.5), (2, '2021-01-01', 3), (3, '2021-01-02', 7)")
	s.token = s.Developer("dev", false)
	s.Developer("rev", true)
	client := func(member string) *dataarts.DataArtsStudioClient {
		id, secret := s.AccessKey(member)
		return dataArts(t, s.ControlPlane, accessKey{id, secret})
	}
	s.dev, s.rev = client("dev"), client("rev")
	var err error
	s.conn, err = s.Client(s.token).CreateConnection(t.Context(), service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "shop", Engine: service.EngineSQLite, File: "shop.db"}})
	if err != nil {
		t.Fatal(err)
	}
	instances, err := s.dev.ListDataServiceInstancesDetail(&model.ListDataServiceInstancesDetailRequest{Workspace: space})
	if err != nil || len(*instances.Instances) != 1 || *(*instances.Instances)[0].Name != "default" {
		t.Fatalf("clusters: %v, %v", instances, err)
	}
	s.instance = *(*instances.Instances)[0].Id
	return s
}

func to[T any](v T) *T { return &v }

// orders is an API that answers the orders of a day.
func (s *shop) orders(name string, auth model.ApiAuthType) *model.Api {
	position, text, number := model.GetRequestParaPositionEnum().REQUEST_PARAMETER_POSITION_QUERY, model.GetRequestParaTypeEnum().REQUEST_PARAMETER_TYPE_STRING, model.GetApiResponseParaTypeEnum().REQUEST_PARAMETER_TYPE_NUMBER
	paging, equal := model.GetDatasourceConfigPaginationEnum().DEFAULT, model.GetApiRequestParaConditionEnum().CONDITION_TYPE_EQ
	kind, protocol, method, visibility := model.GetApiApiTypeEnum().API_SPECIFIC_TYPE_CONFIGURATION, model.GetApiProtocolEnum().PROTOCOL_TYPE_HTTP, model.GetApiRequestTypeEnum().REQUEST_TYPE_GET, model.GetApiVisibilityEnum().WORKSPACE
	return &model.Api{
		CatalogId: to("0"), Name: &name, Description: to("d"), ApiType: &kind, AuthType: &auth, Manager: to("rev"), Path: to("/" + name),
		Protocol: &protocol, RequestType: &method, Visibility: &visibility,
		RequestParas: &[]model.RequestPara{{Name: to("day"), Position: &position, Type: &text, Necessary: to(true), ExampleValue: to("2021-01-01")}},
		DatasourceConfig: &model.DatasourceConfig{
			ConnectionName: to("shop"), ConnectionId: &s.conn.ID, Database: to("shop.db"), Datatable: to("orders"), TableId: to("NATIVE"), Pagination: &paging,
			BackendParas:  &[]model.ApiRequestPara{{Name: to("day"), Mapping: to("day"), Condition: &equal}},
			ResponseParas: &[]model.ApiResponsePara{{Name: to("id"), Field: to("id"), Type: &number}, {Name: to("total"), Field: to("total"), Type: &number}},
		},
	}
}

func (s *shop) create(api *model.Api) string {
	s.t.Helper()
	return *done(s.dev.CreateApi(&model.CreateApiRequest{Workspace: space, DlmType: to(model.GetCreateApiRequestDlmTypeEnum().EXCLUSIVE), ContentType: asJSON, Body: api}))(s.t).Id
}

func (s *shop) publish(c *dataarts.DataArtsStudioClient, id string) error {
	_, err := c.PublishApiToInstance(&model.PublishApiToInstanceRequest{Workspace: space, ContentType: asJSON, ApiId: id, InstanceId: s.instance, Body: &model.GatewayDto{}})
	return err
}

func (s *shop) act(c *dataarts.DataArtsStudioClient, id string, action model.ApiActionDtoAction, at *string) error {
	_, err := c.ExecuteApiToInstance(&model.ExecuteApiToInstanceRequest{Workspace: space, ContentType: asJSON, ApiId: id, InstanceId: s.instance, Body: &model.ApiActionDto{Action: &action, Time: at}})
	return err
}

// status is how an API stands, by publish-info.
func (s *shop) status(id string) string {
	s.t.Helper()
	info := done(s.dev.SearchPublishInfo(&model.SearchPublishInfoRequest{Workspace: space, ContentType: asJSON, ApiId: id}))(s.t)
	if len(*info.PublishMessages) != 1 {
		s.t.Fatalf("%v", info)
	}
	return strings.TrimPrefix((*info.PublishMessages)[0].ApiStatus.Value(), "API_STATUS_")
}

func (s *shop) done(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// refused makes sure that the SDK makes a typed error of an answer.
func (s *shop) refused(err error, status int, code, message string) {
	s.t.Helper()
	got := refusal(s.t, err)
	if got.StatusCode != status || got.ErrorCode != code || !strings.HasPrefix(got.ErrorMessage, message) || got.RequestId == "" {
		s.t.Errorf("%+v, want %d %s %s", got, status, code, message)
	}
}

// TestDataArtsClientLeadsAnAPIThroughItsLife is the way of a user from the first call to the last.
// Source: dataarts-publishing-an-api and dlm-unpublish-suspend-restore.
func TestDataArtsClientLeadsAnAPIThroughItsLife(t *testing.T) {
	s := openShop(t)
	actions := model.GetApiActionDtoActionEnum()
	id := s.create(s.orders("orders_by_day", model.GetApiAuthTypeEnum().NONE))
	shown := done(s.dev.ShowApi(&model.ShowApiRequest{Workspace: space, ContentType: asJSON, ApiId: id}))(t)
	if *shown.Name != "orders_by_day" || shown.Type.Value() != "API_SPECIFIC_TYPE_CONFIGURATION" || *shown.Manager != "rev" || *shown.DatasourceConfig.Datatable != "orders" || shown.Hosts != nil || time.Since(time.UnixMilli(*shown.CreateTime)) > time.Hour {
		t.Errorf("shown: %v", shown)
	}
	debugged := done(s.dev.DebugApi(&model.DebugApiRequest{Workspace: space, ContentType: asJSON, ApiId: id, InstanceId: s.instance, Body: &model.ApiTestDto{Paras: &model.ApiTestParas{PageSize: to("100"), PageNum: to("1")}}}))(t)
	if !*debugged.Success || *debugged.RequestId == "" || !strings.Contains(*debugged.Result, `"totalNum":2`) || *debugged.RequestHeader.Path != "/orders_by_day" || *debugged.ResponseHeader.ContentLength == 0 {
		t.Errorf("debugged: %v", debugged)
	}
	infos := done(s.dev.SearchDebugInfo(&model.SearchDebugInfoRequest{Workspace: space, ContentType: asJSON, ApiId: id}))(t)
	if len(*infos.PublishMessages) != 1 || (*infos.PublishMessages)[0].ApiDebug.Value() != "API_DEBUG_SUCCESS" {
		t.Errorf("debug-info: %v", infos)
	}

	// Not a reviewer: it goes to review.
	s.done(s.publish(s.dev, id))
	if got := s.status(id); got != "PUBLISH_WAIT_REVIEW" {
		t.Errorf("it is %s", got)
	}
	pending := done(s.rev.ListApply(&model.ListApplyRequest{Workspace: space, ContentType: asJSON, QueryType: to(int32(0)), ApiName: to("orders"), Limit: to(int32(10))}))(t)
	if *pending.Total != 1 {
		t.Fatalf("applications: %v", pending)
	}
	application := *(*pending.Records)[0].Id
	s.done(func() error {
		_, err := s.rev.BatchApproveApply(&model.BatchApproveApplyRequest{Workspace: space, ContentType: asJSON, Body: &model.OpenApplyIdsForApproveApply{ApplyResult: to(true), ApplyIds: &[]string{application}}})
		return err
	}())
	decided := done(s.dev.ShowApplyDetail(&model.ShowApplyDetailRequest{Workspace: space, ContentType: asJSON, ApplyId: application}))(t)
	if decided.ApiApplyStatus.Value() != "STATUS_TYPE_PASSED" || *decided.ApproverName != "rev" {
		t.Errorf("decided: %v", decided)
	}
	if got := s.status(id); got != "PUBLISHED" {
		t.Errorf("it is %s", got)
	}
	s.WantCall("/orders_by_day?day=2021-01-02", 200)
	shown = done(s.dev.ShowApi(&model.ShowApiRequest{Workspace: space, ContentType: asJSON, ApiId: id}))(t)
	if *shown.Hosts.InstanceId != s.instance || len(*shown.PublishMessages) != 1 {
		t.Errorf("published: %v", shown)
	}
	s.refused(s.publish(s.rev, id), 400, "DLM.9005", "Api path already exist")

	s.refused(s.act(s.dev, id, actions.STOP, nil), 403, "DLM.9004", "No permission")
	s.refused(s.act(s.rev, id, actions.STOP, to("2021-01-01T10:00:00.000Z")), 400, "DLM.9001", "The parameter time is not valid: 2021-01-01T10:00:00Z is past")
	inTime := time.Now().UTC().Truncate(time.Hour).Add(72 * time.Hour).Format("2006-01-02T15:04:05.000Z")
	s.done(s.act(s.rev, id, actions.STOP, &inTime))
	if got := s.status(id); got != "STOPPED" {
		t.Errorf("it is %s", got)
	}
	s.WantCall("/orders_by_day?day=2021-01-02", 403)
	allowed := done(s.rev.ListInstanceList(&model.ListInstanceListRequest{Workspace: space, ContentType: asJSON, ApiId: id, Action: model.GetListInstanceListRequestActionEnum().RECOVER}))(t)
	if len(*allowed.Instances) != 1 || !*(*allowed.Instances)[0].Result {
		t.Errorf("allowed: %v", allowed)
	}
	s.done(s.act(s.rev, id, actions.RECOVER, nil))
	s.WantCall("/orders_by_day?day=2021-01-02", 200)
	s.done(s.act(s.rev, id, actions.UNPUBLISH, &inTime))
	if got := s.status(id); got != "OFFLINE" {
		t.Errorf("it is %s", got)
	}
	s.WantCall("/orders_by_day?day=2021-01-02", 404)
	s.refused(s.act(s.rev, id, actions.UNPUBLISH, nil), 400, "DLM.4182", "This action is illegal")

	remove := func(id string) error {
		_, err := s.dev.DeleteApi(&model.DeleteApiRequest{Workspace: space, ContentType: asJSON, Body: &[]string{id}})
		return err
	}
	s.done(remove(id))
	s.refused(remove(id), 400, "DLM.4197", "")
	_, err := s.dev.ShowApi(&model.ShowApiRequest{Workspace: space, ContentType: asJSON, ApiId: id})
	s.refused(err, 400, "DLM.4018", "The API "+id+" does not exist.")
}

func TestDataArtsClientChangesAnAPIOfTheNativeFace(t *testing.T) {
	s := openShop(t)
	native := s.Client(s.token)
	made, err := native.CreateAPI(t.Context(), service.APIInput{APISpec: service.APISpec{Name: "native_api", Definition: service.Definition{
		Path: "/native", Method: service.MethodGet, AuthType: service.AuthNone, ConnectionID: s.conn.ID, CacheTTLSeconds: 7,
		Script:             &service.Script{SQL: "SELECT id FROM orders WHERE day = ${day}"},
		RequestParameters:  map[string]service.RequestParameter{"day": {Type: service.TypeString, Required: true, Example: to("2021-01-01")}},
		ResponseParameters: map[string]service.ResponseParameter{"id": {Type: service.TypeInt}},
	}}})
	s.done(err)
	shown := done(s.dev.ShowApi(&model.ShowApiRequest{Workspace: space, ContentType: asJSON, ApiId: made.ID}))(t)
	if shown.Type.Value() != "API_SPECIFIC_TYPE_SCRIPT" || *shown.DatasourceConfig.Sql != made.Script.SQL || (*shown.RequestParas)[0].Type.Value() != "REQUEST_PARAMETER_TYPE_STRING" {
		t.Errorf("shown: %v", shown)
	}
	_, err = s.dev.UpdateApi(&model.UpdateApiRequest{Workspace: space, ContentType: asJSON, ApiId: made.ID, Body: &model.Api{Description: to("d2"), DatasourceConfig: &model.DatasourceConfig{Sql: to("SELECT id, total FROM orders WHERE day = ${day}")}}})
	s.done(err)
	now, err := native.API(t.Context(), made.ID)
	s.done(err)
	if now.Revision != 2 || now.Description != "d2" || now.CacheTTLSeconds != 7 || len(now.ResponseParameters) != 2 || now.RequestParameters["day"].Example == nil {
		t.Errorf("natively it is %+v", now)
	}
	// Terraform takes over both, of which neither was made by it, and has nothing to change.
	w := s.Workdir(s.token)
	w.Write("main.tf", fmt.Sprintf("import {\n  to = dataservice_api.native\n  id = %q\n}\nimport {\n  to = dataservice_api.vendors\n  id = %q\n}\n", made.ID, s.create(s.orders("vendors_api", model.GetApiAuthTypeEnum().IAM))))
	w.Run("plan", "-generate-config-out=generated.tf", "-no-color").Succeeds(t, "2 to import, 0 to add, 0 to change, 0 to destroy")
	w.Apply().Succeeds(t, "2 imported, 0 added, 0 changed, 0 destroyed")
	w.Plan().Succeeds(t, "No changes")
	_, err = s.dev.UpdateApi(&model.UpdateApiRequest{Workspace: space, ContentType: asJSON, ApiId: made.ID, Body: &model.Api{Path: to("/orders/{day}")}})
	s.refused(err, 400, "DLM.9001", "The parameter path is not valid")
	bad := s.orders("tagged_api", model.GetApiAuthTypeEnum().NONE)
	bad.Tags = &[]string{"t1"}
	_, err = s.dev.CreateApi(&model.CreateApiRequest{Workspace: space, ContentType: asJSON, Body: bad})
	s.refused(err, 400, "DLM.9002", "The parameter tags asks for what this service does not have")
	_, err = s.dev.ShowApisOverview(&model.ShowApisOverviewRequest{Workspace: space, ContentType: asJSON})
	s.refused(err, 501, "DLM.9002", "This service does not answer GET")
	_, err = s.dev.ListApis(&model.ListApisRequest{Workspace: "none", ContentType: asJSON})
	s.refused(err, 400, "DLM.4001", "The workspace does not exist")
}

func TestDataArtsClientAuthorizesApps(t *testing.T) {
	s := openShop(t)
	id := s.create(s.orders("orders_api", model.GetApiAuthTypeEnum().APP))
	s.done(s.publish(s.rev, id))
	kind := model.GetAppRequestDtoAppTypeEnum().DLM
	app := done(s.dev.CreateApp(&model.CreateAppRequest{Workspace: space, ContentType: asJSON, Body: &model.AppRequestDto{AppType: &kind, Name: to("shop_app"), Description: to("d")}}))(t)
	if *app.AppKey == "" || *app.AppSecret == "" || app.AppType.Value() != "DLM" {
		t.Errorf("app: %v", app)
	}
	done(s.dev.UpdateApp(&model.UpdateAppRequest{Workspace: space, ContentType: asJSON, AppId: *app.Id, Body: &model.AppUpdateDto{Name: to("shop_app"), Description: to("d2")}}))(t)
	read := done(s.dev.ShowAppInfo(&model.ShowAppInfoRequest{Workspace: space, ContentType: asJSON, AppId: *app.Id}))(t)
	if *read.Description != "d2" || *read.AppSecret != *app.AppSecret {
		t.Errorf("app: %v", read)
	}
	if apps := done(s.dev.ListApps(&model.ListAppsRequest{Workspace: space, ContentType: asJSON, Name: to("shop")}))(t); *apps.Total != 1 {
		t.Errorf("apps: %v", apps)
	}
	bound := func() string {
		t.Helper()
		var all []string
		for _, r := range *done(s.dev.SearchAuthorizeApp(&model.SearchAuthorizeAppRequest{Workspace: space, ContentType: asJSON, ApiId: id}))(t).Records {
			all = append(all, *r.AppName+" "+r.RelationshipType.Value())
		}
		return strings.Join(all, ", ")
	}
	kinds := model.GetApiParaForAuthToInstanceApplyTypeEnum()
	ask := func(c *dataarts.DataArtsStudioClient, kind model.ApiParaForAuthToInstanceApplyType, until *string) error {
		_, err := c.AuthorizeActionApiToInstance(&model.AuthorizeActionApiToInstanceRequest{Workspace: space, ContentType: asJSON, Body: &model.ApiParaForAuthToInstance{ApiId: &id, InstanceId: &s.instance, AppId: app.Id, ApplyType: &kind, Time: until}})
		return err
	}
	s.done(ask(s.dev, kinds.APPLY_TYPE_APPLY, to("2091-01-01T10:00:00.000Z")))
	if got := bound(); got != "shop_app LINK_WAITING_CHECK" {
		t.Errorf("applied: %s", got)
	}
	_, err := s.rev.AuthorizeApiToInstance(&model.AuthorizeApiToInstanceRequest{Workspace: space, ContentType: asJSON, ApiId: id, InstanceId: s.instance, Body: &model.ApiParaForAuthorizeToInstance{AppIds: &[]string{*app.Id}, Time: to("2091-01-01T10:00:00.000Z")}})
	s.refused(err, 400, "DLM.4182", "This action is illegal")
	sent := done(s.rev.ListApply(&model.ListApplyRequest{Workspace: space, ContentType: asJSON}))(t)
	_, err = s.rev.BatchApproveApply(&model.BatchApproveApplyRequest{Workspace: space, ContentType: asJSON, Body: &model.OpenApplyIdsForApproveApply{ApplyResult: to(false), ApplyIds: &[]string{*(*sent.Records)[0].Id}}})
	s.done(err)
	_, err = s.rev.AuthorizeApiToInstance(&model.AuthorizeApiToInstanceRequest{Workspace: space, ContentType: asJSON, ApiId: id, InstanceId: s.instance, Body: &model.ApiParaForAuthorizeToInstance{AppIds: &[]string{*app.Id}, Time: to("2091-01-01T10:00:00.000Z")}})
	s.done(err)
	if got := bound(); got != "shop_app LINKED" {
		t.Errorf("authorized: %s", got)
	}
	if apis := done(s.dev.SearchBindApi(&model.SearchBindApiRequest{Workspace: space, ContentType: asJSON, AppId: *app.Id}))(t); *apis.Total != 1 || *(*apis.Records)[0].Id != id {
		t.Errorf("of the app: %v", apis)
	}

	// What ends is announced to the app.
	s.done(s.act(s.rev, id, model.GetApiActionDtoActionEnum().STOP, nil))
	messages := done(s.dev.ListMessage(&model.ListMessageRequest{Workspace: space, ContentType: asJSON, Limit: to(int32(10)), Offset: to(int32(0))}))(t)
	if *messages.Total != 1 || (*messages.Records)[0].ApiApplyType.Value() != "APPLY_TYPE_STOP" {
		t.Fatalf("messages: %v", messages)
	}
	message := *(*messages.Records)[0].Id
	_, err = s.dev.ConfirmMessage(&model.ConfirmMessageRequest{Workspace: space, ContentType: asJSON, Body: &model.OpenApiParaForCheckMessage{MessageId: &message, Action: to(int32(1))}})
	s.done(err)
	if waits := done(s.dev.ShowMessageDetail(&model.ShowMessageDetailRequest{Workspace: space, ContentType: asJSON, MessageId: message}))(t); waits.ApiApplyStatus.Value() != "STATUS_TYPE_PENDING_EXECUTE" {
		t.Errorf("to be confirmed: %v", waits)
	}
	_, err = s.dev.ConfirmMessage(&model.ConfirmMessageRequest{Workspace: space, ContentType: asJSON, Body: &model.OpenApiParaForCheckMessage{MessageId: &message, Action: to(int32(0))}})
	s.done(err)
	told := done(s.dev.ShowMessageDetail(&model.ShowMessageDetailRequest{Workspace: space, ContentType: asJSON, MessageId: message}))(t)
	if told.ApiApplyStatus.Value() != "STATUS_TYPE_PASSED" || s.status(id) != "STOPPED" {
		t.Errorf("told: %v, and it is %s", told, s.status(id))
	}
	s.done(ask(s.dev, kinds.APPLY_TYPE_APP_CANCEL_AUTHORIZE, nil))
	if got := bound(); got != "" {
		t.Errorf("given up: %s", got)
	}
	_, err = s.dev.DeleteApp(&model.DeleteAppRequest{Workspace: space, ContentType: asJSON, AppId: *app.Id})
	s.done(err)
	_, err = s.dev.ShowAppInfo(&model.ShowAppInfoRequest{Workspace: space, ContentType: asJSON, AppId: *app.Id})
	s.refused(err, 400, "DLM.4063", "The app "+*app.Id+" does not exist.")
}

func TestDataArtsClientKeepsCatalogsAndPages(t *testing.T) {
	s := openShop(t)
	create := func(pid, name string) string {
		t.Helper()
		return *done(s.dev.CreateServiceCatalog(&model.CreateServiceCatalogRequest{Workspace: space, ContentType: asJSON, Body: &model.ApiCatalogCreateParaDto{Pid: &pid, Name: &name}}))(t).CatalogId
	}
	top := create("0", "cat1")
	one, two := create(top, "one"), create(top, "two")
	body := s.orders("filed_api", model.GetApiAuthTypeEnum().NONE)
	body.CatalogId = &one
	id := s.create(body)
	_, err := s.dev.MigrateCatalog(&model.MigrateCatalogRequest{Workspace: space, ContentType: asJSON, CatalogId: one, Body: &model.CatalogMoveParaDto{TargetPid: &two}})
	s.done(err)
	done(s.dev.UpdateCatalog(&model.UpdateCatalogRequest{Workspace: space, ContentType: asJSON, CatalogId: one, Body: &model.ApiCatalogUpdateParaDto{Name: to("first"), Description: to("")}}))(t)
	shown := done(s.dev.ShowCatalogDetail(&model.ShowCatalogDetailRequest{Workspace: space, ContentType: asJSON, CatalogId: one}))(t)
	if *shown.Path != "/cat1/two/first" || *shown.ApiTotal != 1 || *shown.CatalogTotal != 0 {
		t.Errorf("catalog: %v", shown)
	}
	if got := done(s.dev.SearchIdByPath(&model.SearchIdByPathRequest{Workspace: space, ContentType: asJSON, Path: "/cat1/two/first"}))(t); *got.CatalogId != one {
		t.Errorf("by path: %v", got)
	}
	if got := done(s.dev.ShowPathById(&model.ShowPathByIdRequest{Workspace: space, ContentType: asJSON, CatalogId: one}))(t); *got.Path != "/cat1/two/first" {
		t.Errorf("path: %v", got)
	}
	if got := done(s.dev.ShowPathObjectById(&model.ShowPathObjectByIdRequest{Workspace: space, ContentType: asJSON, CatalogId: one}))(t); len(*got.Paths) != 3 {
		t.Errorf("layers: %v", got)
	}
	if got := done(s.dev.ListCatalogList(&model.ListCatalogListRequest{Workspace: space, ContentType: asJSON, CatalogId: top}))(t); *got.Total != 1 {
		t.Errorf("catalogs: %v", got)
	}
	_, err = s.dev.MigrateApi(&model.MigrateApiRequest{Workspace: space, ContentType: asJSON, Body: &model.ApiMoveParaDto{TargetPid: &two, Apis: &[]string{id}}})
	s.done(err)
	if got := done(s.dev.ListApiCatalogList(&model.ListApiCatalogListRequest{Workspace: space, ContentType: asJSON, CatalogId: two}))(t); *got.Total != 1 || *(*got.Apis)[0].Id != id {
		t.Errorf("APIs: %v", got)
	}
	if got := done(s.dev.ListAllCatalogList(&model.ListAllCatalogListRequest{Workspace: space, ContentType: asJSON, CatalogId: two}))(t); *got.Total != 2 {
		t.Errorf("all: %v", got)
	}
	remove := func(ids ...string) error {
		_, err := s.dev.DeleteServiceCatalog(&model.DeleteServiceCatalogRequest{Workspace: space, ContentType: asJSON, Body: &model.ApiCatalogDeleteParaDto{Ids: &ids}})
		return err
	}
	s.refused(remove(one, two), 400, "DLM.4182", "This action is illegal")
	s.done(remove(one))
	_, err = s.dev.ShowCatalogDetail(&model.ShowCatalogDetailRequest{Workspace: space, ContentType: asJSON, CatalogId: one})
	s.refused(err, 400, "DLM.4205", "The catalog "+one+" does not exist.")
	if got := done(s.dev.ShowDataServiceInstance(&model.ShowDataServiceInstanceRequest{Workspace: space, ContentType: to(asJSON), InstanceId: s.instance}))(t); *got.Name != "default" {
		t.Errorf("cluster: %v", got)
	}
	if got := done(s.dev.ListDataServiceInstancesOverview(&model.ListDataServiceInstancesOverviewRequest{Workspace: space}))(t); *got.Total != 1 {
		t.Errorf("clusters: %v", got)
	}

	// 250 APIs, page by page.
	const all = 250
	native := s.Client(s.token)
	for i := 1; i < all; i++ {
		_, err := native.CreateAPI(t.Context(), service.APIInput{APISpec: service.APISpec{Name: fmt.Sprintf("api_%03d", i), Definition: service.Definition{
			Path: fmt.Sprintf("/%d", i), Method: service.MethodGet, AuthType: service.AuthNone, ConnectionID: s.conn.ID, Script: &service.Script{SQL: "SELECT id FROM orders"},
			ResponseParameters: map[string]service.ResponseParameter{"id": {Type: service.TypeInt}},
		}}})
		s.done(err)
	}
	seen := map[string]bool{}
	for offset, calls := int32(0), 0; calls < all; calls++ {
		page := done(s.dev.ListApis(&model.ListApisRequest{Workspace: space, ContentType: asJSON, Offset: &offset, Limit: to(int32(100)), XReturnPublishMessages: to("true")}))(t)
		if *page.Total != all {
			t.Fatalf("%v", page)
		}
		if len(*page.Records) == 0 {
			break
		}
		for _, r := range *page.Records {
			seen[*r.Id] = true
		}
		offset += int32(len(*page.Records))
	}
	if len(seen) != all {
		t.Errorf("%d seen", len(seen))
	}
	s.done(s.publish(s.rev, id))
	if market := done(s.dev.ListDataServiceMarketApis(&model.ListDataServiceMarketApisRequest{Workspace: space, ContentType: asJSON, Body: &model.MallParaDto{Offset: to(int32(0)), Limit: to(int32(10))}}))(t); *market.Total != 1 || *(*market.Apis)[0].Id != id {
		t.Errorf("market: %v", market)
	}
}
