// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts

import (
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// rootID is the catalog that holds all others.
const rootID = "0"

// place is a catalog: the root, a group, or a folder of a group.
type place struct {
	group  service.Group
	folder service.Folder
}

func (p place) root() bool { return p.group.ID == "" }

func (p place) id() string {
	switch {
	case p.folder.ID != "":
		return p.folder.ID
	case p.group.ID != "":
		return p.group.ID
	}
	return rootID
}

// catalogIDOf is where an API is filed.
func catalogIDOf(a service.APISpec) string {
	return place{group: service.Group{ID: a.GroupID}, folder: service.Folder{ID: a.FolderID}}.id()
}

// place finds the catalog that a request names by its id.
func (f *face) place(c *call, id string) (place, error) {
	if id == "" || id == rootID {
		return place{}, nil
	}
	none := noSuch(codeCatalogMissing, "The catalog %s does not exist.", id)
	g, err := f.service.Group(c.Context(), c.Caller, id)
	if err == nil && g.ID == id {
		return place{group: g}, nil
	}
	if err != nil && service.ErrorCode(err) != service.CodeNotFound {
		return place{}, err
	}
	folder, err := f.service.Folder(c.Context(), c.Caller, id)
	if err != nil {
		return place{}, wire.OrMissing(err, none)
	}
	g, err = f.service.Group(c.Context(), c.Caller, folder.GroupID)
	return place{group: g, folder: folder}, wire.OrMissing(err, none)
}

// catalogRequest is a catalog as a client writes it.
type catalogRequest struct {
	PID         string  `json:"pid"`
	Name        *string `json:"name"`
	Description *string `json:"description"`
}

// described refuses the description of a folder, which has none.
func (in catalogRequest) described() error {
	if in.Description != nil && *in.Description != "" {
		return notHere("description", "a catalog below another one has no description; one directly below the root has")
	}
	return nil
}

// catalogBody is a catalog as it is answered.
type catalogBody struct {
	CatalogID   string `json:"catalog_id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	CreateTime  int64  `json:"create_time"`
	CreateUser  string `json:"create_user"`
	UpdateTime  int64  `json:"update_time"`
	UpdateUser  string `json:"update_user"`
}

func (p place) body() catalogBody {
	b := catalogBody{CatalogID: p.id(), Name: p.name()}
	switch {
	case p.folder.ID != "":
		b.CreateTime, b.UpdateTime = wire.Millis(p.folder.CreatedAt), wire.Millis(p.folder.UpdatedAt)
	case p.group.ID != "":
		b.CreateUser = p.group.CreatedBy
		b.Description, b.CreateTime, b.UpdateTime = p.group.Description, wire.Millis(p.group.CreatedAt), wire.Millis(p.group.UpdatedAt)
	}
	return b
}

func (p place) name() string {
	if p.folder.ID != "" {
		return p.folder.Name
	}
	return p.group.Name
}

// createCatalog adds a catalog: directly below the root a group, else a folder.
func (f *face) createCatalog(c *call) (any, error) {
	var in catalogRequest
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.Name == nil || *in.Name == "" {
		return nil, missing("name")
	}
	parent, err := f.place(c, in.PID)
	if err != nil {
		return nil, err
	}
	if parent.root() {
		spec := service.GroupSpec{Name: *in.Name}
		set(&spec.Description, in.Description)
		g, err := f.service.CreateGroup(c.Context(), c.Caller, service.GroupInput{GroupSpec: spec})
		return place{group: g}.body(), err
	}
	if err := in.described(); err != nil {
		return nil, err
	}
	folder, err := f.service.CreateFolder(c.Context(), c.Caller, service.FolderInput{FolderSpec: service.FolderSpec{
		Name: *in.Name, GroupID: parent.group.ID, ParentID: parent.folder.ID,
	}})
	return place{group: parent.group, folder: folder}.body(), err
}

// updateCatalog changes name and description.
func (f *face) updateCatalog(c *call) (any, error) {
	var in catalogRequest
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	p, err := f.changeable(c)
	if err != nil {
		return nil, err
	}
	if p.folder.ID == "" {
		set(&p.group.Name, in.Name)
		set(&p.group.Description, in.Description)
		p.group, err = f.service.UpdateGroup(c.Context(), c.Caller, p.group.ID, "", service.GroupInput{GroupSpec: p.group.GroupSpec})
		return p.body(), err
	}
	if err := in.described(); err != nil {
		return nil, err
	}
	set(&p.folder.Name, in.Name)
	p.folder, err = f.service.UpdateFolder(c.Context(), c.Caller, p.folder.ID, "", service.FolderInput{FolderSpec: p.folder.FolderSpec})
	return p.body(), err
}

// changeable finds the catalog in the path, which must not be the root.
func (f *face) changeable(c *call) (place, error) {
	p, err := f.place(c, c.param("catalog_id"))
	if err == nil && p.root() {
		err = illegalAction("the root catalog stays as it is.")
	}
	return p, err
}

// moveCatalog puts a catalog below another one.
func (f *face) moveCatalog(c *call) (any, error) {
	var in struct {
		TargetPID *string `json:"target_pid"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.TargetPID == nil || *in.TargetPID == "" {
		return nil, missing("target_pid")
	}
	p, err := f.changeable(c)
	if err != nil {
		return nil, err
	}
	target, err := f.place(c, *in.TargetPID)
	switch {
	case err != nil:
		return nil, err
	case p.folder.ID == "" && target.root():
		return nil, nil //nolint:nilnil // It is there already.
	case p.folder.ID == "" || target.root():
		return nil, illegalAction("a catalog directly below the root is a group, and stays there; all others stay in their group.")
	}
	spec := p.folder.FolderSpec
	spec.GroupID, spec.ParentID = target.group.ID, target.folder.ID
	_, err = f.service.UpdateFolder(c.Context(), c.Caller, p.folder.ID, "", service.FolderInput{FolderSpec: spec})
	return nil, err
}

// deleteCatalogs removes empty catalogs: all of them, or none.
func (f *face) deleteCatalogs(c *call) (any, error) {
	var in struct {
		IDs []string `json:"ids"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := checkBatch("ids", in.IDs); err != nil {
		return nil, err
	}
	if slices.Contains(in.IDs, rootID) {
		return nil, illegalAction("the root catalog stays.")
	}
	err := f.service.DeletePlaces(c.Context(), c.Caller, in.IDs...)
	if service.ErrorCode(err) == service.CodeNotFound {
		return nil, noSuch(codeCatalogMissing, "One of the catalogs does not exist: %s", err)
	}
	return nil, err
}

// moveAPIs files APIs in a catalog: all of them, or none.
func (f *face) moveAPIs(c *call) (any, error) {
	var in struct {
		TargetPID *string  `json:"target_pid"`
		APIs      []string `json:"apis"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.TargetPID == nil || *in.TargetPID == "" {
		return nil, missing("target_pid")
	}
	if err := checkBatch("apis", in.APIs); err != nil {
		return nil, err
	}
	target, err := f.place(c, *in.TargetPID)
	if err != nil {
		return nil, err
	}
	err = f.service.FileAPIs(c.Context(), c.Caller, target.group.ID, target.folder.ID, in.APIs...)
	if service.ErrorCode(err) == service.CodeNotFound {
		return nil, noSuch(codeAPIMissing, "%s", err)
	}
	return nil, err
}

// showCatalog returns a catalog and how much lies directly in it.
func (f *face) showCatalog(c *call) (any, error) {
	p, err := f.place(c, c.param("catalog_id"))
	if err != nil {
		return nil, err
	}
	layers, err := f.layers(c, p)
	if err != nil {
		return nil, err
	}
	inside, err := f.placesIn(c, p)
	if err != nil {
		return nil, err
	}
	apis, err := f.apisIn(c, p)
	if err != nil {
		return nil, err
	}
	return struct {
		catalogBody
		Path         string `json:"path"`
		CatalogTotal int    `json:"catalog_total"`
		APITotal     int    `json:"api_total"`
	}{p.body(), pathOf(layers), len(inside), len(apis)}, nil
}

// layers returns the catalogs that lead to one, from below the root down to itself.
func (f *face) layers(c *call, p place) ([]place, error) {
	var layers []place
	for p.folder.ID != "" {
		layers = append(layers, p)
		parent := p.folder.ParentID
		p.folder = service.Folder{}
		if parent != "" {
			folder, err := f.service.Folder(c.Context(), c.Caller, parent)
			if err != nil {
				return nil, err
			}
			p.folder = folder
		}
	}
	if !p.root() {
		layers = append(layers, p)
	}
	slices.Reverse(layers)
	return layers, nil
}

func pathOf(layers []place) string {
	var path strings.Builder
	for _, p := range layers {
		path.WriteString("/" + p.name())
	}
	if path.Len() == 0 {
		return "/"
	}
	return path.String()
}

// placesIn returns the catalogs that lie directly in one.
func (f *face) placesIn(c *call, p place) ([]place, error) {
	inside := []place{}
	if p.root() {
		groups, err := wire.All(func(page lifecycle.Page) (service.List[service.Group], error) {
			return f.service.Groups(c.Context(), c.Caller, page)
		})
		for _, g := range groups {
			inside = append(inside, place{group: g})
		}
		return inside, err
	}
	folders, err := wire.All(func(page lifecycle.Page) (service.List[service.Folder], error) {
		return f.service.Folders(c.Context(), c.Caller, lifecycle.FolderFilter{GroupID: p.group.ID, ParentID: p.folder.ID}, page)
	})
	for _, folder := range folders {
		if folder.ParentID == p.folder.ID {
			inside = append(inside, place{group: p.group, folder: folder})
		}
	}
	return inside, err
}

// apisIn returns the APIs that lie directly in a catalog.
func (f *face) apisIn(c *call, p place) ([]service.API, error) {
	apis, err := wire.All(func(page lifecycle.Page) (service.List[service.API], error) {
		return f.service.APIs(c.Context(), c.Caller, lifecycle.APIFilter{GroupID: p.group.ID, FolderID: p.folder.ID}, page)
	})
	return slices.DeleteFunc(apis, func(a service.API) bool { return a.GroupID != p.group.ID || a.FolderID != p.folder.ID }), err
}

// Kinds of thing in a catalog.
const (
	kindCatalog = "CATALOG"
	kindAPI     = "API"
)

// entry is what lies in a catalog.
type entry struct {
	catalogBody
	PID  string `json:"pid"`
	Kind string `json:"api_catalog_type"`
}

// entriesOf are catalogs that lie in one.
func entriesOf(p place, inside []place) []entry {
	entries := []entry{}
	for _, i := range inside {
		entries = append(entries, entry{catalogBody: i.body(), PID: p.id(), Kind: kindCatalog})
	}
	return entries
}

func (f *face) listCatalogs(c *call) (any, error) {
	p, err := f.place(c, c.param("catalog_id"))
	if err != nil {
		return nil, err
	}
	inside, err := f.placesIn(c, p)
	if err != nil {
		return nil, err
	}
	some, err := page(c, entriesOf(p, inside))
	if err != nil {
		return nil, err
	}
	return map[string]any{"total": len(inside), "catalogs": some}, nil
}

func (f *face) listAPIsOfCatalog(c *call) (any, error) {
	p, err := f.place(c, c.param("catalog_id"))
	if err != nil {
		return nil, err
	}
	apis, err := f.apisIn(c, p)
	if err != nil {
		return nil, err
	}
	some, err := page(c, apis)
	if err != nil {
		return nil, err
	}
	all, err := f.publications(c, "")
	if err != nil {
		return nil, err
	}
	records, err := f.overviews(c, some, byAPI(all), true)
	if err != nil {
		return nil, err
	}
	return map[string]any{"total": len(apis), "apis": records}, nil
}

// listAllOfCatalog lists the catalogs and then the APIs that lie directly in one.
func (f *face) listAllOfCatalog(c *call) (any, error) {
	p, err := f.place(c, c.param("catalog_id"))
	if err != nil {
		return nil, err
	}
	inside, err := f.placesIn(c, p)
	if err != nil {
		return nil, err
	}
	apis, err := f.apisIn(c, p)
	if err != nil {
		return nil, err
	}
	entries := entriesOf(p, inside)
	for _, a := range apis {
		entries = append(entries, entry{catalogBody: catalogBody{
			CatalogID: a.ID, Name: a.Name, Description: a.Description, CreateTime: wire.Millis(a.CreatedAt), CreateUser: a.OwnerName, UpdateTime: wire.Millis(a.UpdatedAt),
		}, PID: p.id(), Kind: kindAPI})
	}
	some, err := page(c, entries)
	if err != nil {
		return nil, err
	}
	return map[string]any{"total": len(entries), "api_catalogs": some}, nil
}

func (f *face) pathOfCatalog(c *call) (any, error) {
	p, err := f.place(c, c.param("catalog_id"))
	if err != nil {
		return nil, err
	}
	layers, err := f.layers(c, p)
	return map[string]string{"path": pathOf(layers)}, err
}

// layer is one step of the way to a catalog.
type layer struct {
	CatalogID string `json:"catalog_id"`
	Name      string `json:"name"`
	Order     int    `json:"order"`
}

func (f *face) layersOfCatalog(c *call) (any, error) {
	p, err := f.place(c, c.param("catalog_id"))
	if err != nil {
		return nil, err
	}
	layers, err := f.layers(c, p)
	if err != nil {
		return nil, err
	}
	paths := []layer{}
	for i, l := range layers {
		paths = append(paths, layer{CatalogID: l.id(), Name: l.name(), Order: i + 1})
	}
	return map[string]any{"paths": paths}, nil
}

// catalogOfPath finds a catalog by the names that lead to it.
func (f *face) catalogOfPath(c *call) (any, error) {
	path := c.URL.Query().Get("path")
	if path == "" {
		return nil, missing("path")
	}
	var p place
	for name := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if name == "" {
			continue
		}
		inside, err := f.placesIn(c, p)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(inside, func(i place) bool { return i.name() == name })
		if i < 0 {
			return nil, noSuch(codeCatalogMissing, "The catalog %s does not exist.", path)
		}
		p = inside[i]
	}
	return map[string]string{"catalog_id": p.id()}, nil
}
