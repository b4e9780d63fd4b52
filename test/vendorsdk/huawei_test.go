// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package vendorsdk

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/region"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	dataarts "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1"
	dataartsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1/model"
	iam "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/iam/v3"
	iammodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/iam/v3/model"
)

// dataArts returns a client that signs as change says.
func dataArts(t *testing.T, url string, key accessKey, change ...func(*basic.CredentialsBuilder)) *dataarts.DataArtsStudioClient {
	t.Helper()
	b := basic.NewCredentialsBuilder().WithAk(key.id).WithSk(key.secret).WithProjectId("default")
	for _, c := range change {
		c(b)
	}
	credentials, err := b.SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	c, err := dataarts.DataArtsStudioClientBuilder().WithRegion(region.NewRegion("default", url)).WithDerivedAuthServiceName("dayu").WithCredential(credentials).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return dataarts.NewDataArtsStudioClient(c)
}

// refusal is the error that the client makes of an answer.
func refusal(t *testing.T, err error) *sdkerr.ServiceResponseError {
	t.Helper()
	var refused *sdkerr.ServiceResponseError
	if !errors.As(err, &refused) {
		t.Fatalf("it is no answer's: %v", err)
	}
	return refused
}

// createAtDataArts calls CreateApi, with a JSON body.
func createAtDataArts(t *testing.T, url string, key accessKey) string {
	t.Helper()
	name, about := "orders", description
	_, err := dataArts(t, url, key).CreateApi(&dataartsmodel.CreateApiRequest{Workspace: "default", ContentType: "application/json", Body: &dataartsmodel.Api{Name: &name, Description: &about}})
	if err == nil {
		return ""
	}
	return refusal(t, err).ErrorCode
}

func TestDataArtsClientSignsQueriesAndEmptyBodies(t *testing.T) {
	s, key := start(t)
	d := openDoor(t, s)
	c := dataArts(t, d.url, key)
	dlm, name, limit, tags := dataartsmodel.GetListApisRequestDlmTypeEnum().EXCLUSIVE, "订单 a/b+c", int32(10), []string{"t2", "t1"}
	if _, err := c.ListApis(&dataartsmodel.ListApisRequest{Workspace: "default", DlmType: &dlm, ContentType: "application/json", Name: &name, Limit: &limit, Tags: &tags}); err != nil {
		t.Error(err)
	}
	if got := d.last(); got.member != "dev" || got.request.URL.Query().Get("name") != name || got.request.URL.Path != "/v1/default/service/apis" {
		t.Errorf("%s: %s", got.member, got.request.RequestURI)
	}
	if _, err := c.PublishApiToInstance(&dataartsmodel.PublishApiToInstanceRequest{Workspace: "default", ContentType: "application/json", ApiId: "1", InstanceId: "2"}); err != nil {
		t.Error(err)
	}
	if got := d.last(); got.member != "dev" || got.request.Method != http.MethodPost || len(got.body) != 0 {
		t.Errorf("%s: %s %q", got.member, got.request.RequestURI, got.body)
	}
}

// createWithDerivedKey is createAtDataArts in the SDK's other way of signing, which is off
// unless a client turns it on.
func createWithDerivedKey(t *testing.T, url string, key accessKey) string {
	t.Helper()
	name, about := "orders", description
	_, err := dataArts(t, url, key, func(b *basic.CredentialsBuilder) {
		b.WithDerivedPredicate(func(*request.DefaultHttpRequest) bool { return true })
	}).CreateApi(&dataartsmodel.CreateApiRequest{Workspace: "default", ContentType: "application/json", Body: &dataartsmodel.Api{Name: &name, Description: &about}})
	if err == nil {
		return ""
	}
	return refusal(t, err).ErrorCode
}

// identity returns a client of /v3 that signs.
func identity(t *testing.T, url string, key accessKey) *iam.IamClient {
	t.Helper()
	credentials, err := basic.NewCredentialsBuilder().WithAk(key.id).WithSk(key.secret).WithProjectId("default").SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	c, err := iam.IamClientBuilder().WithEndpoints([]string{url}).WithCredential(credentials).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return iam.NewIamClient(c)
}

// withToken returns a client of /v3 that sends a token; none where it is "".
func withToken(t *testing.T, url, token string) *iam.IamClient {
	t.Helper()
	c, err := iam.IamClientBuilder().WithEndpoints([]string{url}).WithCredential(iam.NewIamCredentialsBuilder().WithXAuthToken(token).Build()).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return iam.NewIamClient(c)
}

func TestHuaweisClientFindsItsProject(t *testing.T) {
	s, key := start(t)
	name := "default"
	ask := &iammodel.KeystoneListProjectsRequest{Name: &name}
	found, err := identity(t, s.ControlPlane, key).KeystoneListProjects(ask)
	if err != nil || len(*found.Projects) != 1 || (*found.Projects)[0].Name != "default" {
		t.Fatalf("%v, %v", found, err)
	}
	id := (*found.Projects)[0].Id
	domains, err := identity(t, s.ControlPlane, key).KeystoneListAuthDomains(&iammodel.KeystoneListAuthDomainsRequest{})
	if err != nil || len(*domains.Domains) != 1 || (*domains.Domains)[0].Id != id {
		t.Errorf("%v, %v", domains, err)
	}
	// Without a project id the client asks for that of its region's name, before its first call.
	d := openDoor(t, s)
	c := dataArts(t, d.url, key, func(b *basic.CredentialsBuilder) { b.WithProjectId("").WithIamEndpointOverride(s.ControlPlane) })
	if _, err := c.ListApis(&dataartsmodel.ListApisRequest{Workspace: "default", ContentType: "application/json"}); err != nil {
		t.Fatal(err)
	}
	if got := d.last(); got.request.URL.Path != "/v1/"+id+"/service/apis" {
		t.Errorf("it calls %s", got.request.URL.Path)
	}
	_, err = identity(t, s.ControlPlane, accessKey{key.id, "wrong"}).KeystoneListProjects(ask)
	if got := refusal(t, err); got.StatusCode != http.StatusUnauthorized || !strings.Contains(got.ErrorMessage, "The signature is not that of this request and the secret of the access key "+key.id) {
		t.Errorf("%+v", got)
	}
}

func TestHuaweisClientLogsIn(t *testing.T) {
	s, key := start(t)
	logIn := func(password string) (*iammodel.KeystoneCreateUserTokenByPasswordResponse, error) {
		workspace := "default"
		return withToken(t, s.ControlPlane, "").KeystoneCreateUserTokenByPassword(&iammodel.KeystoneCreateUserTokenByPasswordRequest{Body: &iammodel.KeystoneCreateUserTokenByPasswordRequestBody{Auth: &iammodel.PwdAuth{
			Identity: &iammodel.PwdIdentity{
				Methods:  []iammodel.PwdIdentityMethods{iammodel.GetPwdIdentityMethodsEnum().PASSWORD},
				Password: &iammodel.PwdPassword{User: &iammodel.PwdPasswordUser{Domain: &iammodel.PwdPasswordUserDomain{Name: workspace}, Name: "dev", Password: password}},
			},
			Scope: &iammodel.AuthScope{Project: &iammodel.AuthScopeProject{Name: &workspace}},
		}}})
	}
	given, err := logIn(key.secret)
	if err != nil || given.XSubjectToken == nil {
		t.Fatalf("%v, %v", given, err)
	}
	token := *given.XSubjectToken
	found, err := withToken(t, s.ControlPlane, token).KeystoneListProjects(&iammodel.KeystoneListProjectsRequest{})
	if err != nil || len(*found.Projects) != 1 {
		t.Errorf("%v, %v", found, err)
	}
	who, err := s.Client(token).WhoAmI(t.Context())
	if err != nil || who.Member.Name != "dev" {
		t.Errorf("the native API: %+v, %v", who, err)
	}
	_, err = logIn("wrong")
	if got := refusal(t, err); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("another password: %+v", got)
	}
	_, err = withToken(t, s.ControlPlane, token+"x").KeystoneListProjects(&iammodel.KeystoneListProjectsRequest{})
	if got := refusal(t, err); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("another token: %+v", got)
	}
}
