// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// apisCommand is about definitions.
type apisCommand struct {
	List     apisListCommand     `cmd:"" help:"List APIs."`
	Show     apisShowCommand     `cmd:"" help:"Show an API: its test call, its versions, and where it is published."`
	Export   apisExportCommand   `cmd:"" help:"Print the definition of an API as JSON, as the native API takes it."`
	Validate apisValidateCommand `cmd:"" help:"Check a definition against its connection and what is live, and store nothing."`
	Debug    apisDebugCommand    `cmd:"" help:"Call the newest revision of an API once."`
	Delete   apisDeleteCommand   `cmd:"" help:"Delete an API that is published nowhere."`
}

type apisListCommand struct {
	caller
	Search      string          `short:"s" help:"Those with this text in name or description." placeholder:"TEXT"`
	Mode        modeFlag        `help:"Those of this mode: WIZARD, SCRIPT or REGISTRATION." placeholder:"MODE"`
	Visibility  visibilityFlag  `help:"Those with this visibility: WORKSPACE or PRIVATE." placeholder:"VISIBILITY"`
	DebugStatus debugStatusFlag `help:"Those whose test call stands so: WAITING, FAILED or SUCCESS." placeholder:"STATUS"`
	Owner       string          `help:"Those of this member: id or name." placeholder:"REF"`
	Group       string          `help:"Those filed under this group, in all of its folders: id or name." placeholder:"REF"`
	Folder      string          `help:"Those that lie directly in the folder with this id." placeholder:"ID"`
}

// Run prints APIs.
func (c apisListCommand) Run(ctx context.Context, s Streams) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	filter := client.APIFilter{
		Search: c.Search, Mode: service.Mode(c.Mode), Visibility: service.Visibility(c.Visibility),
		DebugStatus: service.DebugStatus(c.DebugStatus), Owner: c.Owner, FolderID: c.Folder,
	}
	if c.Group != "" {
		group, err := t.findGroup(ctx, c.Group)
		if err != nil {
			return err
		}
		filter.GroupID = group.ID
	}
	all, err := client.All(ctx, func(ctx context.Context, p client.Page) (service.List[service.API], error) {
		return t.APIs(ctx, filter, p)
	})
	if err != nil {
		return err
	}
	return t.print(list(all), func() error {
		var rows [][]string
		for _, a := range all {
			rows = append(rows, []string{a.Name, string(a.Method), a.Path, string(a.Mode), number(a.Revision), string(a.DebugStatus), a.OwnerName})
		}
		return t.table([]column{{"NAME", 2}, {"METHOD", 0}, {"PATH", 1}, {"MODE", 0}, {"REV", 0}, {"DEBUG", 0}, {"OWNER", 1}}, rows)
	})
}

type oneAPI struct {
	API string `arg:"" name:"api" help:"API: id, number or name."`
}

type apisShowCommand struct {
	caller
	oneAPI
}

// shownAPI is what show prints as JSON.
type shownAPI struct {
	API          service.API           `json:"api"`
	Publications []service.Publication `json:"publications"`
	// Versions are those of all publications.
	Versions []service.Version `json:"versions"`
}

// Run prints an API and where it is published.
func (c apisShowCommand) Run(ctx context.Context, s Streams) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	a, err := t.findAPI(ctx, c.API)
	if err != nil {
		return err
	}
	shown := shownAPI{API: a, Versions: []service.Version{}}
	if shown.Publications, err = t.publicationsOf(ctx, a.ID, ""); err != nil {
		return err
	}
	shown.Publications = list(shown.Publications)
	environments := map[string]string{}
	for _, p := range shown.Publications {
		versions, err := t.Versions(ctx, p.ID)
		if err != nil {
			return err
		}
		environments[p.ID] = p.EnvironmentName
		shown.Versions = append(shown.Versions, versions...)
	}
	return t.print(shown, func() error {
		err := t.facts(
			"API", fmt.Sprintf("%s (number %d)", a.Name, a.Number), "Id", a.ID, "Description", a.Description,
			"Called as", fmt.Sprintf("%s %s", a.Method, a.Path), "Mode", string(a.Mode), "Callers prove who they are", string(a.AuthType),
			"Connection", t.connectionName(ctx, a.ConnectionID), "Visibility", string(a.Visibility), "Owner", a.OwnerName, "Revision", number(a.Revision),
			"Test call", string(a.DebugStatus), "Because", a.DebugMessage, "Changed", by(a.UpdatedBy, a.UpdatedAt))
		if err != nil {
			return err
		}
		if len(shown.Publications) == 0 {
			return t.sayf("\nPublished nowhere.")
		}
		if err := t.sayf(""); err != nil {
			return err
		}
		if err := t.publications(shown.Publications); err != nil || len(shown.Versions) == 0 {
			return err
		}
		var rows [][]string
		for _, v := range shown.Versions {
			live := ""
			if v.Live {
				live = "live"
			}
			rows = append(rows, []string{environments[v.PublicationID], v.Name, number(v.Revision), live, minute(v.CreatedAt), v.CreatedBy})
		}
		if err := t.sayf(""); err != nil {
			return err
		}
		return t.table([]column{{"ENV", 1}, {"VERSION", 0}, {"REV", 0}, {"", 0}, {"PUBLISHED", 0}, {"BY", 1}}, rows)
	})
}

type apisExportCommand struct {
	caller
	oneAPI
}

// Run prints the definition, whatever the output is to be.
func (c apisExportCommand) Run(ctx context.Context, s Streams) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	a, err := t.findAPI(ctx, c.API)
	if err != nil {
		return err
	}
	return WriteJSON(s, a.APISpec)
}

type apisValidateCommand struct {
	caller
	File              string `arg:"" help:"JSON file with the definition, as export prints it; - for standard input."`
	API               string `name:"api" help:"API that it is to replace: id, number or name; a new one where absent." placeholder:"REF"`
	WithoutConnection bool   `help:"Leave out what needs the database, where the connection does not exist yet."`
}

// Run checks the definition, and prints what is no error.
func (c apisValidateCommand) Run(ctx context.Context, s Streams) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	var in service.APIInput
	if err := t.readJSON(c.File, &in); err != nil {
		return err
	}
	replaced, err := t.apiID(ctx, c.API)
	if err != nil {
		return err
	}
	check := t.ValidateAPI
	if c.WithoutConnection {
		check = t.ValidateAPIWithoutConnection
	}
	found, err := check(ctx, replaced, in)
	if err != nil {
		return err
	}
	err = t.print(found, func() error {
		for _, w := range found.Warnings {
			if err := t.sayf("Warning: %s: %s", or(w.Pointer, "/"), w.Message); err != nil {
				return err
			}
		}
		for _, b := range found.BreakingChanges {
			forbids := ""
			if b.Forbidden {
				forbids = ", which forbids that"
			}
			if err := t.sayf("Breaks callers of %s in %s%s: %s", b.Version, b.EnvironmentName, forbids, b.Message); err != nil {
				return err
			}
		}
		for _, p := range found.TakenPaths {
			if err := t.sayf("Taken: %s has this method and path in %s.", p.APIName, p.EnvironmentName); err != nil {
				return err
			}
		}
		return t.sayf("%s is valid.", or(in.Name, c.File))
	})
	if err != nil {
		return err
	}
	var refusing []string
	for _, b := range found.BreakingChanges {
		if b.Forbidden && !slices.Contains(refusing, b.EnvironmentName) {
			refusing = append(refusing, b.EnvironmentName)
		}
	}
	if len(refusing) > 0 {
		return &failure{exit: ExitConflict, message: fmt.Sprintf("It cannot be published in %s, where breaking changes are forbidden.", strings.Join(refusing, ", "))}
	}
	return nil
}

type apisDebugCommand struct {
	caller
	oneAPI
	Parameter map[string]string `short:"p" help:"Value of a request parameter, as NAME=VALUE; may be repeated. Defaults and examples stand for those that are left out." placeholder:"NAME=VALUE" mapsep:"none"`
	Body      string            `help:"Request body, for a registered API whose body has no declared parameters." placeholder:"TEXT"`
}

// Run calls the API, and prints its answer.
func (c apisDebugCommand) Run(ctx context.Context, s Streams) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	a, err := t.findAPI(ctx, c.API)
	if err != nil {
		return err
	}
	result, err := t.DebugAPI(ctx, a.ID, service.DebugInput{Parameters: c.Parameter, Body: c.Body})
	if err != nil {
		return err
	}
	return t.print(result, func() error {
		t.notef("Revision %d of %s answered with the status %d and %s within %.1f ms.", a.Revision, a.Name, result.Status, count(result.Rows, "row"), result.DurationMS)
		if result.Statement != "" {
			t.notef("%s", strings.TrimSpace(result.Statement))
		}
		if len(result.Body) == 0 {
			return t.sayf("%s", result.Text)
		}
		var text bytes.Buffer
		if err := json.Indent(&text, result.Body, "", "  "); err != nil {
			return t.sayf("%s", result.Body)
		}
		return t.sayf("%s", text.Bytes())
	})
}

type apisDeleteCommand struct {
	caller
	oneAPI
	Confirmation
}

// Run deletes the API.
func (c apisDeleteCommand) Run(ctx context.Context, s Streams) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	a, err := t.findAPI(ctx, c.API)
	if err != nil {
		return err
	}
	if err := t.confirm(ctx, c.Confirmation, fmt.Sprintf("Delete the API %s with its %s?", a.Name, count(int(a.Revision), "revision"))); err != nil {
		return err
	}
	if err := t.DeleteAPI(ctx, a.ID); err != nil {
		return err
	}
	t.notef("The API %s is deleted.", a.Name)
	return nil
}
