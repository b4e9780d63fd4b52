// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// Whether an API is published.
const (
	unpublished = 0
	published   = 1
)

// view is an API as it is defined now, or as it is live.
type view struct {
	number            int64
	name, description string
	live              bool
	visibility        service.Visibility
	groupID           string
	folder            int64
	creator, operator string
	created, modified time.Time
	definition        service.Definition
	connection        int64
}

// object is the view as it is answered. Source: dataworks-get-published-api, Data.
func (v view) object(c *call, more ...member) object {
	d := v.definition.WithDefaults()
	status := unpublished
	if v.live {
		status = published
	}
	protocols := make([]int, len(d.Protocols))
	for i, p := range d.Protocols {
		protocols[i] = slices.Index(service.Protocols, p)
	}
	o := object{
		{"Timeout", d.TimeoutMS},
		{"Status", status},
		{"ApiId", v.number},
		{"ApiMode", slices.Index(service.Modes, d.Mode)},
		{"ProjectId", c.Workspace.Number},
		{"ResponseContentType", slices.Index(service.ResponseContentTypes, d.ResponseContentType)},
		{"CreatorId", v.creator},
		{"VisibleRange", slices.Index(service.Visibilities, v.visibility)},
		{"ModifiedTime", wire.Offset(v.modified)},
		{"OperatorId", v.operator},
		{"GroupId", v.groupID},
		{"Description", v.description},
		{"RequestMethod", slices.Index(service.Methods, d.Method)},
		{"CreatedTime", wire.Offset(v.created)},
		{"ApiName", v.name},
		{"TenantId", c.Workspace.Number},
		{"ApiPath", d.Path},
		{"Protocols", protocols},
	}
	return append(append(o, more...), detailsOf(d, v.connection))
}

// filed says where the API is filed, which what is published does not.
func (v view) filed() member { return member{"FolderId", v.folder} }

// getAPI returns an API as it is defined now.
func (f *face) getAPI(c *call) (any, error) {
	api, err := f.api(c)
	if err != nil {
		return nil, err
	}
	s, err := f.surroundings(c, api)
	if err != nil {
		return nil, err
	}
	v := s.view(api)
	more := []member{v.filed(), {"RequestContentType", slices.Index(service.RequestContentTypes, api.RequestContentType)}}
	if api.Script != nil {
		more = append(more, member{"SqlMode", slices.Index(service.SQLModes, api.Script.SQLMode)})
	}
	if group, err := strconv.ParseInt(api.ResourceGroup, 10, 64); err == nil {
		more = append(more, member{"ResourceGroupId", group})
	}
	return v.object(c, more...), nil
}

// listAPIs lists the APIs as they are defined now, oldest first.
func (f *face) listAPIs(c *call) (any, error) {
	name, path, creator := c.text("ApiNameKeyword"), c.text("ApiPathKeyword"), c.text("CreatorId")
	if c.err != nil {
		return nil, c.err
	}
	apis, err := wire.All(func(p lifecycle.Page) (service.List[service.API], error) {
		return f.service.APIs(c, c.Caller, lifecycle.APIFilter{Owner: creator}, p)
	})
	if err != nil {
		return nil, err
	}
	// Numbers are given in one order: what is defined meanwhile comes last.
	slices.SortFunc(apis, func(a, b service.API) int { return cmp.Compare(a.Number, b.Number) })
	s, err := f.surroundings(c, apis...)
	if err != nil {
		return nil, err
	}
	found := []object{}
	for _, api := range apis {
		if has(api.Name, name) && has(api.Path, path) {
			v := s.view(api)
			found = append(found, v.object(c, v.filed()))
		}
	}
	return paged(c, "Apis", found)
}

// api finds the API that a call names.
func (f *face) api(c *call) (service.API, error) {
	number := c.number("ApiId")
	if c.err != nil {
		return service.API{}, c.err
	}
	api, err := f.service.API(c, c.Caller, number)
	return api, wire.OrMissing(err, apiMissing(number))
}

// surroundings is what the vendor tells of APIs that stands elsewhere here.
type surroundings struct {
	live                 map[string]bool
	folders, connections map[string]int64
}

func (s surroundings) view(a service.API) view {
	return view{
		number: a.Number, name: a.Name, description: a.Description, live: s.live[a.ID], visibility: a.Visibility, groupID: a.GroupID, folder: s.folders[a.FolderID],
		creator: a.OwnerName, operator: cmp.Or(a.UpdatedBy, a.OwnerName), created: a.CreatedAt, modified: a.UpdatedAt, definition: a.Definition, connection: s.connections[a.ConnectionID],
	}
}

// surroundings finds where the APIs are live, and the numbers of what they are in and read.
func (f *face) surroundings(c *call, apis ...service.API) (surroundings, error) {
	s := surroundings{live: map[string]bool{}, folders: map[string]int64{}, connections: map[string]int64{}}
	filter := lifecycle.PublicationFilter{EnvironmentID: service.ReleaseEnvironmentID}
	if len(apis) == 1 {
		filter.APIID = apis[0].ID
	}
	publications, err := wire.All(func(p lifecycle.Page) (service.List[service.Publication], error) {
		return f.service.Publications(c, c.Caller, filter, p)
	})
	for _, p := range publications {
		s.live[p.APIID] = p.Callable()
	}
	if err != nil {
		return s, err
	}
	for _, a := range apis {
		if err := s.lookUp(s.folders, a.FolderID, func(id string) (int64, error) {
			folder, err := f.service.Folder(c, c.Caller, id)
			return folder.Number, err
		}); err != nil {
			return s, err
		}
		if err := s.lookUp(s.connections, a.ConnectionID, func(id string) (int64, error) {
			conn, err := f.service.Connection(c, c.Caller, id)
			return conn.Number, err
		}); err != nil {
			return s, err
		}
	}
	return s, nil
}

// lookUp finds the number of a thing once; what is gone has none.
func (surroundings) lookUp(numbers map[string]int64, id string, find func(id string) (int64, error)) error {
	if _, known := numbers[id]; known || id == "" {
		return nil
	}
	n, err := find(id)
	if err != nil && service.ErrorCode(err) != service.CodeNotFound {
		return err
	}
	numbers[id] = n
	return nil
}
