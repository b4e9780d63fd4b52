// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts

import (
	"cmp"
	"slices"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

const statusPrefix = "API_STATUS_"

// published tells how an API stands in a cluster.
type published struct {
	ID           string `json:"id"`
	APIID        string `json:"api_id"`
	InstanceID   string `json:"instance_id"`
	InstanceName string `json:"instance_name"`
	APIStatus    string `json:"api_status"`
	APIDebug     string `json:"api_debug"`
}

// placed is a publication, or a place for one, in RELEASE of a cluster.
type placed struct {
	service.Publication
	instance service.Instance
}

func (p placed) message(api service.API) published {
	return published{
		ID: p.ID, APIID: api.ID, InstanceID: p.instance.ID, InstanceName: p.instance.Name,
		APIStatus: statusPrefix + string(p.status()), APIDebug: debugPrefix + string(api.DebugStatus),
	}
}

func (p placed) status() service.Status { return cmp.Or(p.Status, service.StatusCreated) }

func messagesOf(placed []placed, api service.API) []published {
	messages := []published{}
	for _, p := range placed {
		messages = append(messages, p.message(api))
	}
	return messages
}

// sharedStatus is how an API stands in the cluster that exists from the start, which is all
// that the vendor's shared edition has.
func sharedStatus(all []placed) string {
	i := slices.IndexFunc(all, func(p placed) bool { return p.instance.Name == service.DefaultInstance })
	if i < 0 {
		return statusPrefix + string(service.StatusCreated)
	}
	return statusPrefix + string(all[i].status())
}

func byAPI(all []placed) map[string][]placed {
	byID := map[string][]placed{}
	for _, p := range all {
		byID[p.APIID] = append(byID[p.APIID], p)
	}
	return byID
}

// publications returns those of the API, or of all where its id is "", in the order of the
// clusters.
func (f *face) publications(c *call, apiID string) ([]placed, error) {
	instances, err := f.instances(c)
	if err != nil {
		return nil, err
	}
	publications, err := wire.All(func(p lifecycle.Page) (service.List[service.Publication], error) {
		return f.service.Publications(c.Context(), c.Caller, lifecycle.PublicationFilter{APIID: apiID}, p)
	})
	if err != nil {
		return nil, err
	}
	byEnvironment := map[string][]service.Publication{}
	for _, p := range publications {
		byEnvironment[p.EnvironmentID] = append(byEnvironment[p.EnvironmentID], p)
	}
	found := []placed{}
	for _, i := range instances {
		for _, p := range byEnvironment[i.ReleaseEnvironmentID] {
			found = append(found, placed{p, i})
		}
	}
	return found, nil
}

// placesOf returns one place for each cluster, with the API's publication where there is one.
func (f *face) placesOf(c *call, api service.API) ([]placed, error) {
	found, err := f.publications(c, api.ID)
	if err != nil {
		return nil, err
	}
	instances, err := f.instances(c)
	if err != nil {
		return nil, err
	}
	places := make([]placed, len(instances))
	for n, i := range instances {
		places[n].instance = i
		if at := slices.IndexFunc(found, func(p placed) bool { return p.instance.ID == i.ID }); at >= 0 {
			places[n] = found[at]
		}
	}
	return places, nil
}

// publishInfo tells where an API is published, or was.
func (f *face) publishInfo(c *call) (any, error) { return f.info(c, f.publicationsOf) }

// debugInfo tells for each cluster whether an API can be published there.
func (f *face) debugInfo(c *call) (any, error) { return f.info(c, f.placesOf) }

func (f *face) publicationsOf(c *call, api service.API) ([]placed, error) {
	return f.publications(c, api.ID)
}

func (f *face) info(c *call, find func(*call, service.API) ([]placed, error)) (any, error) {
	api, err := f.api(c, c.param("api_id"))
	if err != nil {
		return nil, err
	}
	found, err := find(c, api)
	if err != nil {
		return nil, err
	}
	some, err := page(c, messagesOf(found, api))
	if err != nil {
		return nil, err
	}
	return map[string]any{"total": len(found), "publish_messages": some}, nil
}

// publishRequest is the body of a publish call: it may be absent.
type publishRequest struct {
	APIGType       string `json:"apig_type"`
	APIGInstanceID string `json:"apig_instance_id"`
	GroupID        string `json:"group_id_in_apig"`
	ROMAAppID      string `json:"roma_app_id"`
}

// publish publishes an API as it is defined now, or applies for that, on the connection that
// was chosen for the cluster last.
func (f *face) publish(c *call) (any, error) {
	var in publishRequest
	if c.ContentLength != 0 {
		if err := c.decode(&in); err != nil {
			return nil, err
		}
	}
	if in.APIGType != "" || in.APIGInstanceID != "" || in.GroupID != "" || in.ROMAAppID != "" {
		return nil, notHere("apig_type", "APIs are published to the cluster itself, and not to a gateway beside it; send an empty body")
	}
	api, instance, err := f.apiInInstance(c)
	if err != nil {
		return nil, err
	}
	p, err := f.service.Publish(c.Context(), c.Caller, service.PublishInput{
		APIID: api.ID, EnvironmentID: instance.ReleaseEnvironmentID, Revision: api.Revision, Anew: true, KeepConnection: true,
	})
	switch {
	case service.ErrorCode(err) == service.CodeAlreadyExists:
		return nil, badRequest(codeAlreadyExists, "%s: %s", pathExists, err)
	case err != nil:
		return nil, wire.OrMissing(err, apiMissing(api.ID))
	}
	c.changed = append(c.changed, p)
	return nil, nil
}

// The actions.
const (
	actionUnpublish = "UNPUBLISH"
	actionStop      = "STOP"
	actionRecover   = "RECOVER"
)

// calls are the actions in the domain's words.
var calls = map[string]service.Call{actionUnpublish: service.CallUnpublish, actionStop: service.CallSuspend, actionRecover: service.CallRestore}

// actionRequest is the body of the documented call.
// Source: dlm-unpublish-suspend-restore, Request Message.
type actionRequest struct {
	Action string `json:"action"`
	Time   string `json:"time"`
}

// act suspends, restores or unpublishes an API. A restoration has no time: some clients
// send one nevertheless.
func (f *face) act(c *call) (any, error) {
	var in actionRequest
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.Action == "" {
		return nil, missing("action")
	}
	if calls[in.Action] == "" {
		return nil, invalid("action", "use %s, %s or %s", actionUnpublish, actionStop, actionRecover)
	}
	api, instance, err := f.apiInInstance(c)
	if err != nil {
		return nil, err
	}
	p, err := f.publication(c, api, instance)
	if err != nil {
		return nil, err
	}
	action := service.ActionInput{Time: in.Time}
	switch in.Action {
	case actionUnpublish:
		p, err = f.service.Unpublish(c.Context(), c.Caller, p.ID, action)
	case actionStop:
		p, err = f.service.Suspend(c.Context(), c.Caller, p.ID, action)
	default:
		p, err = f.service.Restore(c.Context(), c.Caller, p.ID, service.ActionInput{})
	}
	if err != nil {
		return nil, wire.OrMissing(err, neverPublished(api, instance))
	}
	c.changed = append(c.changed, p)
	return nil, nil
}

// publication finds that of an API in a cluster.
func (f *face) publication(c *call, api service.API, instance service.Instance) (service.Publication, error) {
	p, err := f.service.PublicationAt(c.Context(), c.Caller, api, instance.ReleaseEnvironmentID)
	return p, wire.OrMissing(err, neverPublished(api, instance))
}

func neverPublished(api service.API, instance service.Instance) *failure {
	return illegalAction(api.Name + " was never published in the cluster " + instance.Name + ".")
}

// Why something cannot be done with an API in a cluster.
const (
	causeStatus = "API_STATUS_ERROR"
	causeDebug  = "API_DEBUG_ERROR"
	causeType   = "TYPE_MISMATCH"
)

// allowed tells whether something can be done with an API in a cluster.
type allowed struct {
	InstanceID   string `json:"instance_id"`
	InstanceType string `json:"instance_type"`
	Name         string `json:"name"`
	Action       string `json:"action"`
	Result       bool   `json:"result"`
	Cause        string `json:"cause,omitempty"`
	APIStatus    string `json:"api_status"`
	APIDebug     string `json:"api_debug"`
}

// What can be asked for beside the actions.
const (
	actionPublish   = "PUBLISH"
	actionAuthorize = "AUTHORIZE"
	actionWhitelist = "WHITELIST"
)

// listAllowed lists the clusters in which something can be done with an API.
func (f *face) listAllowed(c *call) (any, error) {
	api, err := f.api(c, c.param("api_id"))
	if err != nil {
		return nil, err
	}
	cause, err := f.causeOf(c, api)
	if err != nil {
		return nil, err
	}
	showAll, err := c.flag("show_all", false)
	if err != nil {
		return nil, err
	}
	places, err := f.placesOf(c, api)
	if err != nil {
		return nil, err
	}
	found := []allowed{}
	for _, p := range places {
		m, why := p.message(api), cause(p)
		if why == "" || showAll {
			found = append(found, allowed{
				InstanceID: p.instance.ID, InstanceType: appTypeDLM, Name: p.instance.Name, Action: c.URL.Query().Get("action"),
				Result: why == "", Cause: why, APIStatus: m.APIStatus, APIDebug: m.APIDebug,
			})
		}
	}
	some, err := page(c, found)
	if err != nil {
		return nil, err
	}
	return map[string]any{"total": len(found), "instances": some}, nil
}

// causeOf returns what tells why something cannot be done, "" where it can.
func (f *face) causeOf(c *call, api service.API) (func(placed) string, error) {
	action := c.URL.Query().Get("action")
	checkStatus, err := c.flag("check_status", true)
	if err != nil {
		return nil, err
	}
	checkDebug, err := c.flag("check_debug", true)
	if err != nil {
		return nil, err
	}
	switch action {
	case "":
		return nil, missing("action")
	case actionWhitelist:
		return nil, notHere("action", "there are no whitelists")
	case actionAuthorize:
		fits, err := f.appFits(c, api)
		return func(placed) string {
			if !fits {
				return causeType
			}
			return ""
		}, err
	case actionPublish:
		return func(p placed) string {
			switch {
			case checkStatus && (!p.allows(service.CallPublish) || p.Live != nil && p.Live.Revision == api.Revision):
				return causeStatus
			case checkDebug && api.DebugStatus != service.DebugSuccess:
				return causeDebug
			}
			return ""
		}, nil
	case actionUnpublish, actionStop, actionRecover:
		return func(p placed) string {
			if checkStatus && !p.allows(calls[action]) {
				return causeStatus
			}
			return ""
		}, nil
	}
	return nil, invalid("action", "use %s, %s, %s, %s or %s", actionPublish, actionUnpublish, actionStop, actionRecover, actionAuthorize)
}

func (p placed) allows(call service.Call) bool {
	publication := p.Publication
	publication.Status = p.status()
	return publication.Allows(call)
}

// appFits reports whether the app that a request names is of the type that the API asks for.
func (f *face) appFits(c *call, api service.API) (bool, error) {
	kind := api.AuthType.AppType()
	id := c.URL.Query().Get("app_id")
	if id == "" || kind == "" {
		return kind != "", nil
	}
	app, err := f.service.App(c.Context(), c.Caller, id)
	return app.Type == kind, wire.OrMissing(err, appMissing(id))
}
