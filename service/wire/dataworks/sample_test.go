// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// sample are the parameters of the documented request, each correction with its reason.
// Source: dataworks-create-api, Sample requests.
func (h *house) sample() params {
	wizard := `{"isPagedResponse":true,"wizardConnection":{"connectionId":122786,"tableName":"person"},"wizardRequestParameters":[{"columnName":"id","defaultValue":"","exampleValue":"1","isRequiredParameter":true,"parameterDataType":2,"parameterDescription":"","parameterName":"id","parameterOperator":0,"parameterPosition":0}],"wizardResponseParameters":[{"columnName":"id","exampleValue":"11","parameterDataType":2,"parameterDescription":"","parameterName":"id"}]}`
	// Parameters of APIs in wizard mode are in the query string alone, says the document.
	wizard = strings.Replace(wizard, `"parameterPosition":0`, `"parameterPosition":1`, 1)
	return params{
		"TenantId": "10001",
		// The workspace has this number, and not 10000.
		"ProjectId": h.project(),
		// It has no spaces, says the document.
		"ApiName": "API_name",
		// This is the id of a business process, and not the words.
		"GroupId": h.group.ID,
		"ApiMode": "0", "RequestMethod": "0", "ResponseContentType": "0", "Timeout": "10000", "VisibleRange": "0", "Protocols": "0,1",
		// The connection has this number.
		"WizardDetails":       strings.Replace(wizard, "122786", fmt.Sprint(h.conn.Number), 1),
		"ScriptDetails":       `{"isPagedResponse":false,"script":"select id as id1, name as name1 from person where id=${inputid}","scriptConnection":{"connectionId":122786,"tableName":"person"},"scriptRequestParameters":[{"defaultValue":"","exampleValue":"","isRequiredParameter":true,"parameterDataType":0,"parameterDescription":"","parameterName":"inputid","parameterOperator":0,"parameterPosition":1}],"scriptResponseParameters":[{"exampleValue":"","parameterDataType":0,"parameterDescription":"","parameterName":"id1"},{"exampleValue":"","parameterDataType":0,"parameterDescription":"","parameterName":"name1"}]}`,
		"RegistrationDetails": `{"failedResultSample":"fail","registrationErrorCodes":[{"errorCode":"e1","errorMessage":"msg1","errorSolution":"sol1"},{"errorCode":"e2","errorMessage":"msg2","errorSolution":"sol2"}],"registrationRequestParameters":[{"columnName":"","defaultValue":"","exampleValue":"","isRequiredParameter":true,"parameterDataType":0,"parameterDescription":"","parameterName":"id","parameterOperator":0,"parameterPosition":1},{"columnName":"","defaultValue":"xx","exampleValue":"","isRequiredParameter":true,"parameterDataType":0,"parameterDescription":"","parameterName":"cc","parameterOperator":2,"parameterPosition":2}],"serviceContentType":1,"serviceHost":"http://www.baidu.com","servicePath":"/[uid]","serviceRequestBodyDescription":"body","successfulResultSample":"success"}`,
		"ApiPath":             "/test/1", "ApiDescription": "API description", "FolderId": "0", "SqlMode": "0", "ResourceGroupId": "3242432423", "RequestContentType": "0",
	}
}

func TestTheDocumentedCreationIsAnsweredAsDocumented(t *testing.T) {
	h := newHouse(t)
	got := h.send("dev", "CreateDataServiceApi", h.sample())
	// The sample has ErrorMessage and ErrorCode beside Success true, where there is no error,
	// and other ids.
	want := map[string]any{"HttpStatusCode": 200.0, "Data": 100001.0, "RequestId": got.header.Get("X-Request-Id"), "Success": true}
	if diff := cmp.Diff(want, got.values); diff != "" || got.status != 200 || got.header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s", got.status, diff)
	}
	api := must(h.API(t.Context(), h.callers["dev"], "API_name"))(t)
	one := "1"
	eleven := "11"
	if diff := cmp.Diff(service.APISpec{
		Name: "API_name", Description: "API description", Visibility: service.VisibilityWorkspace, GroupID: h.group.ID, ResourceGroup: "3242432423",
		Definition: service.Definition{
			Path: "/test/1", Method: service.MethodGet, Mode: service.ModeWizard, Protocols: service.Protocols, TimeoutMS: 10000, AuthType: service.AuthApp,
			RequestContentType: service.ContentXML, ResponseContentType: service.ContentJSON, ConnectionID: h.conn.ID, Wizard: &service.Wizard{Table: "person", Paged: true},
			RequestParameters:  map[string]service.RequestParameter{"id": {Type: service.TypeLong, Position: service.PositionQuery, Operator: service.OperatorEqual, Required: true, Example: &one}},
			ResponseParameters: map[string]service.ResponseParameter{"id": {Type: service.TypeLong, Example: &eleven}},
		},
	}, api.APISpec); diff != "" {
		t.Error(diff)
	}
	// It was called with its example, so that it is tested already.
	if api.DebugStatus != service.DebugSuccess || api.Number != 100001 || api.OwnerName != "dev" {
		t.Errorf("it is %+v", api)
	}
}

// The other two modes' samples.
func TestTheDocumentedDetailsOfTheOtherModesAreUnderstood(t *testing.T) {
	h := newHouse(t)
	script := h.sample().with("ApiMode", "1").with("ScriptDetails", strings.Replace(h.sample()["ScriptDetails"], "122786", fmt.Sprint(h.conn.Number), 1))
	h.ok("dev", "CreateDataServiceApi", script)
	api := must(h.API(t.Context(), h.callers["dev"], "API_name"))(t)
	if api.Script.SQL != "select id as id1, name as name1 from person where id=${inputid}" || len(api.ResponseParameters) != 2 || api.DebugStatus != service.DebugWaiting {
		t.Errorf("it is %+v", api)
	}
	// A header is no place for a constant without a letter: the sample's cc is one. The path
	// [uid] has no parameter uid, and is sent as it is. The method POST keeps the call from
	// being made to the sample's host.
	registration := h.sample().with("ApiMode", "2").with("RequestMethod", "1").with("ApiName", "registered").with("ResponseContentType", "1").with("RequestContentType", "1")
	h.ok("dev", "CreateDataServiceApi", registration)
	api = must(h.API(t.Context(), h.callers["dev"], "registered"))(t)
	xx := "xx"
	if diff := cmp.Diff(service.Definition{
		Path: "/test/1", Method: service.MethodPost, Mode: service.ModeRegistration, Protocols: service.Protocols, TimeoutMS: 10000, AuthType: service.AuthApp,
		RequestContentType: service.ContentJSON, ResponseContentType: service.ContentXML,
		Registration: &service.Registration{Host: "http://www.baidu.com", Path: "/[uid]", ContentType: service.ContentXML, RequestBodyDescription: "body"},
		RequestParameters: map[string]service.RequestParameter{
			"id": {Type: service.TypeString, Position: service.PositionQuery, Operator: service.OperatorEqual, Required: true},
			"cc": {Type: service.TypeString, Position: service.PositionHeader, Operator: service.OperatorConst, Required: true, Default: &xx},
		},
		ErrorCodes:    map[string]service.ErrorDescription{"e1": {Message: "msg1", Solution: "sol1"}, "e2": {Message: "msg2", Solution: "sol2"}},
		SuccessSample: "success", FailureSample: "fail",
	}, api.Definition); diff != "" {
		t.Error(diff)
	}
}

// The sample's ErrorMessage and ErrorCode are those of a connection that there is not: the
// sample's own, uncorrected.
func TestTheDocumentedErrorOfAConnectionIsAnsweredAsDocumented(t *testing.T) {
	h := newHouse(t)
	sample := h.sample()
	sample = sample.with("WizardDetails", strings.Replace(sample["WizardDetails"], fmt.Sprint(h.conn.Number), "122786", 1))
	before := h.traces()
	h.refused(h.send("dev", "CreateDataServiceApi", sample), 400, "Invalid.Tenant.ConnectionNotExists", "The connection does not exist. There is no connection 122786")
	if h.traces() != before {
		t.Error("something has changed")
	}
}

func TestTheDocumentedCreationIsAnsweredInXML(t *testing.T) {
	h := newHouse(t)
	got := h.send("dev", "CreateDataServiceApi", h.sample().with("Format", "XML"))
	want := `<?xml version="1.0" encoding="UTF-8"?><CreateDataServiceApiResponse><HttpStatusCode>200</HttpStatusCode><Data>100001</Data><RequestId>` +
		got.header.Get("X-Request-Id") + `</RequestId><Success>true</Success></CreateDataServiceApiResponse>`
	if got.status != 200 || got.header.Get("Content-Type") != "application/xml" || got.body != want {
		t.Errorf("%d %s, want %s", got.status, got.body, want)
	}
	got = h.send("dev", "CreateDataServiceApi", h.sample().with("Format", "xml").with("ApiName", "a & b"))
	if got.status != 400 || !strings.HasPrefix(got.body, `<?xml version="1.0" encoding="UTF-8"?><Error><RequestId>`) || !strings.Contains(got.body, "<Code>InvalidParameter</Code>") || !strings.Contains(got.body, "a &amp; b") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// documented is what the published API is answered as. Corrections to the sample: ids are
// those of the house; times are in UTC; CreatorId and OperatorId are texts, as the table
// says, and names of members; Protocols, the error codes and the parameters are lists, as
// the table says; an error code is a text; the details of one mode are answered, as the
// note at the end says; the error's members are gone, as there is none. The sample lacks
// ColumnName, which the vendor's SDK reads.
func (h *house) documented(mode int, method int, details string) map[string]any {
	h.t.Helper()
	var want map[string]any
	text := fmt.Sprintf(`{
		"Timeout": 10000, "Status": 1, "ApiId": 100001, "ApiMode": %d, "ProjectId": 100001, "ResponseContentType": 0, "CreatorId": "dev", "VisibleRange": 0,
		"ModifiedTime": "2020-06-22T16:21:01+0000", "OperatorId": "rev", "GroupId": %q, "Description": "Description of the test API", "RequestMethod": %d,
		"CreatedTime": "2020-06-22T16:21:01+0000", "ApiName": "Name_of_the_test_API", "TenantId": 100001, "ApiPath": "/test/1", "Protocols": [0], %s}`,
		mode, h.group.ID, method, details)
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		h.t.Fatal(err, text)
	}
	return want
}

const (
	answeredSamples = `"SuccessfulResultSample": "{\"success\": true}", "FailedResultSample": "{\"success\": false}"`
	// The position of a parameter is the query string, which the sample has not.
	answeredRequest = `"ParameterName": "param1", "ParameterPosition": 1, "ParameterDescription": "description1", "DefaultValue": "default1", "ParameterOperator": 0,
		"ExampleValue": "example1", "ParameterDataType": 0, "IsRequiredParameter": true`
	answeredResponse = `"ParameterDescription": "description2", "ParameterName": "param2", "ExampleValue": "example2", "ParameterDataType": 0`
	answeredCode     = `[{"ErrorMessage": "fail to call", "ErrorCode": "1001", "ErrorSolution": "retry"}]`
	sentRequest      = `"parameterName":"param1","parameterPosition":1,"parameterDescription":"description1","defaultValue":"default1","parameterOperator":0,"exampleValue":"example1","parameterDataType":0,"isRequiredParameter":true`
	sentResponse     = `"parameterDescription":"description2","parameterName":"param2","exampleValue":"example2","parameterDataType":0`
	sentSamples      = `"successfulResultSample":"{\"success\": true}","failedResultSample":"{\"success\": false}"`
	sentCode         = `[{"errorMessage":"fail to call","errorCode":"1001","errorSolution":"retry"}]`
)

// Source: dataworks-get-published-api, Sample success responses.
func TestTheDocumentedPublishedAPIIsAnsweredAsDocumented(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("{}"))
	}))
	t.Cleanup(backend.Close)
	for _, test := range []struct {
		name, mode, parameter string
		details               func(h *house) (sent, answered string)
	}{
		{"wizard", "0", "WizardDetails", func(h *house) (string, string) {
			return fmt.Sprintf(`{"isPagedResponse":true,%s,"wizardErrorCodes":%s,"wizardRequestParameters":[{%s}],"wizardResponseParameters":[{%s}],"wizardConnection":{"tableName":"t","connectionId":%d}}`,
					sentSamples, sentCode, sentRequest, sentResponse, h.conn.Number),
				fmt.Sprintf(`"WizardDetails": {"IsPagedResponse": true, %s, "WizardErrorCodes": %s, "WizardRequestParameters": [{%s, "ColumnName": "param1"}],
					"WizardResponseParameters": [{%s, "ColumnName": "param2"}], "WizardConnection": {"TableName": "t", "ConnectionId": %d}}`, answeredSamples, answeredCode, answeredRequest, answeredResponse, h.conn.Number)
		}},
		{"script", "1", "ScriptDetails", func(h *house) (string, string) {
			// The sample's script, select a from t, has neither its parameter nor its column.
			const script = "select a as param2 from t where a = ${param1}"
			return fmt.Sprintf(`{"isPagedResponse":true,%s,"script":%q,"scriptErrorCodes":%s,"scriptRequestParameters":[{%s}],"scriptResponseParameters":[{%s}],"scriptConnection":{"tableName":"t","connectionId":%d}}`,
					sentSamples, script, sentCode, sentRequest, sentResponse, h.conn.Number),
				fmt.Sprintf(`"ScriptDetails": {"IsPagedResponse": true, %s, "Script": %q, "ScriptErrorCodes": %s, "ScriptRequestParameters": [{%s}],
					"ScriptResponseParameters": [{%s}], "ScriptConnection": {"TableName": "t", "ConnectionId": %d}}`, answeredSamples, script, answeredCode, answeredRequest, answeredResponse, h.conn.Number)
		}},
		{"registration", "2", "RegistrationDetails", func(*house) (string, string) {
			code := `[{"errorMessage":"The connection does not exist.","errorCode":"Invalid.Tenant.ConnectionNotExists","errorSolution":"retry"}]`
			// The sample's host is empty, and there must be one.
			return fmt.Sprintf(`{"serviceHost":%q,"serviceContentType":0,"servicePath":"/index",%s,"serviceRequestBodyDescription":"{\"abc\":1}","registrationErrorCodes":%s,"registrationRequestParameters":[{%s}]}`,
					backend.URL, sentSamples, code, strings.Replace(sentRequest, "param1", "name1", 1)),
				fmt.Sprintf(`"RegistrationDetails": {"ServiceHost": %q, "ServiceContentType": 0, "ServicePath": "/index", %s, "ServiceRequestBodyDescription": "{\"abc\":1}",
					"RegistrationErrorCodes": [{"ErrorMessage": "The connection does not exist.", "ErrorCode": "Invalid.Tenant.ConnectionNotExists", "ErrorSolution": "retry"}],
					"RegistrationRequestParameters": [{%s}]}`, backend.URL, answeredSamples, strings.Replace(answeredRequest, "param1", "name1", 1))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t)
			sent, answered := test.details(h)
			create := h.script("Name_of_the_test_API").with("ApiPath", "/test/1").with("ApiDescription", "Description of the test API").with("Protocols", "0").with("ApiMode", test.mode).
				with("ScriptDetails", "").with(test.parameter, sent)
			api := number(h.ok("dev", "CreateDataServiceApi", create).data())
			h.ok("rev", "PublishDataServiceApi", h.onAPI(api))
			got := h.ok("guest", "GetDataServicePublishedApi", h.onAPI(api).with("TenantId", "10003"))
			mode := int(test.mode[0] - '0')
			if diff := cmp.Diff(h.documented(mode, 0, answered), got.data()); diff != "" || got.values["HttpStatusCode"] != 200.0 || got.values["Success"] != true || len(got.values) != 4 {
				t.Error(diff, got.body)
			}
			xml := h.send("guest", "GetDataServicePublishedApi", h.onAPI(api).with("Format", "XML")).body
			for _, part := range []string{
				"<GetDataServicePublishedApiResponse><HttpStatusCode>200</HttpStatusCode><Data>", "<Description>Description of the test API</Description>", "<Protocols>0</Protocols>",
				"<SuccessfulResultSample>{&#34;success&#34;: true}</SuccessfulResultSample>", "<ErrorSolution>retry</ErrorSolution>", "</GetDataServicePublishedApiResponse>",
			} {
				if !strings.Contains(xml, part) {
					t.Errorf("in XML there is no %s: %s", part, xml)
				}
			}
		})
	}
}
