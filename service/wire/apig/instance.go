// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig

import (
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// What every instance is said to be.
const (
	instanceRunning = "Running"
	instanceType    = "apig"
	// instanceHealthy is the number of instanceRunning.
	instanceHealthy = 6
)

// instanceBody is an instance as it is answered.
type instanceBody struct {
	ID             string `json:"id"`
	ProjectID      string `json:"project_id"`
	InstanceName   string `json:"instance_name"`
	Description    string `json:"description,omitempty"`
	Status         string `json:"status"`
	InstanceStatus int    `json:"instance_status"`
	Type           string `json:"type"`
	// CreateTime is in milliseconds here alone.
	CreateTime int64 `json:"create_time"`
}

func bodyOfInstance(i service.Instance) instanceBody {
	return instanceBody{
		ID: i.ID, ProjectID: i.WorkspaceID, InstanceName: i.Name, Description: i.Description, Status: instanceRunning, InstanceStatus: instanceHealthy, Type: instanceType,
		CreateTime: wire.Millis(i.CreatedAt),
	}
}

func (f *face) readInstance(c *call) (any, error) { return bodyOfInstance(c.instance), nil }

// listInstances lists those of the workspace.
func (f *face) listInstances(c *call) (any, error) {
	instances, err := wire.All(func(p lifecycle.Page) (service.List[service.Instance], error) {
		return f.service.Instances(c.Context(), c.Caller, p)
	})
	if err != nil {
		return nil, err
	}
	found := []instanceBody{}
	for _, i := range instances {
		if c.is("instance_id", i.ID) && c.has("instance_name", i.Name) && c.is("status", instanceRunning) {
			found = append(found, bodyOfInstance(i))
		}
	}
	part, err := page(c, found)
	if err != nil {
		return nil, err
	}
	return map[string]any{"total": len(found), "size": len(part), "instances": part}, nil
}
