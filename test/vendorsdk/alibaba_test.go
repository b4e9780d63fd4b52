// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package vendorsdk

import (
	"errors"
	"testing"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"
	alierrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	dataworks "github.com/aliyun/alibaba-cloud-sdk-go/services/dataworks-public"
)

// description has what percent-encoding is told apart by.
const description = "orders of a day: 订单 a+b ~ *%20"

func dataWorks(t *testing.T, url string, key accessKey) *dataworks.Client {
	t.Helper()
	c, err := dataworks.NewClientWithAccessKey("local", key.id, key.secret)
	if err != nil {
		t.Fatal(err)
	}
	c.Domain = host(url)
	return c
}

// codeOfAlibaba is the code of the error that alibaba-cloud-sdk-go makes of an answer.
func codeOfAlibaba(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var refused *alierrors.ServerError
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	return refused.ErrorCode()
}

// createAtDataWorks calls CreateDataServiceApi, with a form.
func createAtDataWorks(t *testing.T, url string, key accessKey) string {
	t.Helper()
	r := dataworks.CreateCreateDataServiceApiRequest()
	r.Scheme = requests.HTTP
	r.ApiName, r.ApiDescription, r.ApiPath = "orders", description, "/orders/by day"
	_, err := dataWorks(t, url, key).CreateDataServiceApi(r)
	return codeOfAlibaba(t, err)
}

func TestDataWorksClientSignsTheQuery(t *testing.T) {
	s, key := start(t)
	d := openDoor(t, s)
	r := dataworks.CreateGetDataServiceApiTestRequest()
	r.Scheme, r.Method, r.TestId = requests.HTTP, requests.GET, "5"
	if _, err := dataWorks(t, d.url, key).GetDataServiceApiTest(r); err != nil {
		t.Fatal(err)
	}
	if got := d.last(); got.member != "dev" || got.rpc.Action != "GetDataServiceApiTest" || got.rpc.Version != "2020-05-18" || got.rpc.Params.Get("TestId") != "5" || len(got.body) != 0 {
		t.Errorf("%s: %+v", got.request.RequestURI, got.rpc)
	}
}

// callAPI calls an action by its name, as the clients do that Alibaba Cloud generates now.
func callAPI(url string, key accessKey, action string, in *openapiutil.OpenApiRequest) error {
	c, err := openapi.NewClient(&openapiutil.Config{
		AccessKeyId: tea.String(key.id), AccessKeySecret: tea.String(key.secret), Protocol: tea.String("HTTP"), Endpoint: tea.String(host(url)),
	})
	if err != nil {
		return err
	}
	_, err = c.CallApi(&openapiutil.Params{
		Action: tea.String(action), Version: tea.String("2020-05-18"), Protocol: tea.String("HTTP"), Pathname: tea.String("/"), Method: tea.String("POST"),
		AuthType: tea.String("AK"), Style: tea.String("RPC"), ReqBodyType: tea.String("formData"), BodyType: tea.String("json"),
	}, in, &dara.RuntimeOptions{})
	return err
}

// createByCallAPI calls CreateDataServiceApi, with a form.
func createByCallAPI(t *testing.T, url string, key accessKey) string {
	t.Helper()
	err := callAPI(url, key, "CreateDataServiceApi", &openapiutil.OpenApiRequest{Body: map[string]any{
		"ApiName": "orders", "ApiDescription": description, "ApiPath": "/orders/by day",
	}})
	if err == nil {
		return ""
	}
	var refused *tea.SDKError
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	return tea.StringValue(refused.Code)
}

func TestCallAPISignsTheQuery(t *testing.T) {
	s, key := start(t)
	d := openDoor(t, s)
	if err := callAPI(d.url, key, "GetDataServiceApiTest", &openapiutil.OpenApiRequest{Query: map[string]*string{"TestId": tea.String("5"), "Note": tea.String(description)}}); err != nil {
		t.Fatal(err)
	}
	if got := d.last(); got.member != "dev" || got.rpc.Action != "GetDataServiceApiTest" || got.rpc.Params.Get("TestId") != "5" || got.rpc.Params.Get("Note") != description {
		t.Errorf("%s: %+v", got.request.RequestURI, got.rpc)
	}
}
