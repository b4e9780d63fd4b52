// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig

import (
	"fmt"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// maxBatch bounds the APIs of one call.
const maxBatch = 1000

// outcome is why an API of a batch was not published, or not taken offline.
type outcome struct {
	APIID   string `json:"api_id"`
	APIName string `json:"api_name,omitempty"`
	Code    string `json:"error_code"`
	Message string `json:"error_msg"`
}

// batchRequest is the body of POST /apis/publish.
type batchRequest struct {
	APIs    []string `json:"apis"`
	EnvID   string   `json:"env_id"`
	GroupID string   `json:"group_id"`
	Remark  string   `json:"remark"`
}

// batch publishes several APIs or takes them offline, each by itself.
func (f *face) batch(c *call) (any, error) {
	var in batchRequest
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	name := c.URL.Query().Get("action")
	do, err := f.action(name, invalidQuery)
	if err != nil {
		return nil, err
	}
	env, err := f.environment(c, in.EnvID)
	if err != nil {
		return nil, err
	}
	ids, err := f.batched(c, in, name, env)
	if err != nil {
		return nil, err
	}
	success, refused := []any{}, []outcome{}
	for _, id := range ids {
		api, err := f.api(c, "apis", id)
		if err == nil {
			var done any
			if done, err = do(c, env, api, in.Remark); err == nil {
				success = append(success, done)
				continue
			}
		}
		wire.CallOf(c.Context()).NoteItem(err)
		why := failureOf(err)
		refused = append(refused, outcome{APIID: id, APIName: api.Name, Code: why.Code, Message: why.Message})
	}
	return map[string]any{"success": success, "failure": refused}, nil
}

// batched returns which APIs a batch is about: those that it names, or those of a group.
// Of a group, what is not published is not taken offline.
func (f *face) batched(c *call, in batchRequest, action string, env service.Environment) ([]string, error) {
	ids, parameter := in.APIs, "apis"
	if in.GroupID != "" {
		if len(in.APIs) > 0 {
			return nil, invalid("group_id", "name the APIs in apis, or a group, not both")
		}
		var err error
		if ids, err = f.inGroup(c, in.GroupID, action, env); err != nil {
			return nil, err
		}
		parameter = "group_id"
	}
	if len(ids) == 0 || len(ids) > maxBatch {
		return nil, invalid(parameter, fmt.Sprintf("there are %d APIs to do it for: name 1 to %d", len(ids), maxBatch))
	}
	return ids, nil
}

func (f *face) inGroup(c *call, groupID, action string, env service.Environment) ([]string, error) {
	g, err := f.group(c, groupID)
	if err != nil {
		return nil, err
	}
	var ids []string
	if action == actionOffline {
		publications, err := wire.All(func(p lifecycle.Page) (service.List[service.Publication], error) {
			return f.service.Publications(c.Context(), c.Caller, lifecycle.PublicationFilter{GroupID: g.ID, EnvironmentID: env.ID}, p)
		})
		for _, p := range publications {
			if p.Live != nil {
				ids = append(ids, p.APIID)
			}
		}
		return ids, err
	}
	apis, err := wire.All(func(p lifecycle.Page) (service.List[service.API], error) {
		return f.service.APIs(c.Context(), c.Caller, lifecycle.APIFilter{GroupID: g.ID}, p)
	})
	for _, api := range apis {
		ids = append(ids, api.ID)
	}
	return ids, err
}
