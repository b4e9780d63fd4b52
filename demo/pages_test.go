// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
)

// page is a page of the provider's documentation that shows an example: the files of one
// folder, as one configuration.
type page struct {
	folder string // such as "resources/dataservice_app"
	dir    string // where the folder is
	*tenant
}

// pages returns the pages that have an example, but for those of lists, which belong to
// the pages of their resources.
func pages(t *testing.T, root string) (folders []string) {
	t.Helper()
	for _, pattern := range []string{"provider", "resources/*", "data-sources/*", "ephemeral-resources/*", "functions/*", "actions/*"} {
		found, err := filepath.Glob(filepath.Join(root, "examples", filepath.FromSlash(pattern)))
		if err != nil || len(found) == 0 {
			t.Fatalf("the pages %s are %v, %v", pattern, found, err)
		}
		for _, dir := range found {
			folder, err := filepath.Rel(filepath.Join(root, "examples"), dir)
			if err != nil {
				t.Fatal(err)
			}
			folders = append(folders, filepath.ToSlash(folder))
		}
	}
	return folders
}

// The first minor versions of Terraform 1 that know what some examples show.
const (
	knowsIdentities = 12
	knowsActions    = 14
	knowsQueries    = 14
)

// TestTheExampleOfEveryPageIsApplied does with the example of each page what its reader
// does: apply, plan, import in every way that the page tells, destroy. The plan is
// empty, and after the destroy the workspace holds what it held before.
func TestTheExampleOfEveryPageIsApplied(t *testing.T) {
	s := newStage(t, "--allow-backend-cidr", "127.0.0.0/8")
	cli := servicetest.TerraformMinor(t)
	tenants := map[string]*tenant{}
	for _, folder := range pages(t, s.root) {
		tenants[folder] = s.tenant(t, folder)
	}
	for folder, workspace := range tenants {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			if strings.HasPrefix(folder, "actions/") && cli < knowsActions {
				t.Skipf("actions are a matter of Terraform 1.%d; TestTheExamplesOfActionsNameWhatThereIs looks at their examples", knowsActions)
			}
			p := &page{folder: folder, dir: filepath.Join(s.root, "examples", filepath.FromSlash(folder)), tenant: workspace.of(t)}
			w := p.workdir()
			if prepare := given[folder]; prepare != nil {
				prepare(p, w)
			}
			before := p.holds()
			w.Apply().Succeeds(t)
			w.Plan().Succeeds(t, "No changes")
			p.importByCommand(w)
			p.importByBlock(w, "import-by-string-id.tf")
			if cli >= knowsIdentities {
				p.importByBlock(w, "import-by-identity.tf")
			}
			if cli >= knowsQueries {
				p.query(w)
			}
			p.invoke(w)
			w.Destroy().Succeeds(t)
			p.wantNothingMore(before)
		})
	}
}

// workdir is a folder with the configuration of the page, and with what the test gives
// it from testdata/pages.
func (p *page) workdir() *servicetest.Workdir {
	w := p.WorkdirOf(p.t, p.token)
	w.Env = append(w.Env, "DATASERVICE_WORKSPACE="+p.workspace)
	files, err := filepath.Glob(filepath.Join(p.dir, "*.tf"))
	if err != nil {
		p.t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(file string) bool { return strings.HasPrefix(filepath.Base(file), "import-") })
	more, err := filepath.Glob(filepath.Join("testdata", "pages", filepath.FromSlash(p.folder), "*.tf"))
	if err != nil {
		p.t.Fatal(err)
	}
	requires := false
	for _, file := range append(files, more...) {
		text := p.read(file)
		requires = requires || strings.Contains(text, "required_providers")
		w.Write(filepath.Base(file), text)
	}
	if !requires {
		w.Write("terraform.tf", "terraform {\n  required_providers {\n    dataservice = { source = \"dataservice/dataservice\" }\n  }\n}\n")
	}
	return w
}

func (p *page) read(file string) string {
	p.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

// optional returns a file of the page, "" where the page has none of that name.
func (p *page) optional(name string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	return string(text)
}

var (
	importCommand = regexp.MustCompile(`(?m)^terraform import (\S+) (\S+)$`)
	importTarget  = regexp.MustCompile(`(?m)^ +to += (\S+)$`)
	exampleID     = regexp.MustCompile(`\b(?:[0-9a-f]{32}|DEFAULT_ENVIRONMENT_RELEASE_ID)\b`)
	exampleReview = regexp.MustCompile(`\b[0-9a-f]{32}/\d+\b`)
)

// withIDs puts what the resource is really called in place of the ids of an example.
func (p *page) withIDs(text string, resource map[string]any) string {
	p.t.Helper()
	text = exampleReview.ReplaceAllStringFunc(text, func(string) string {
		revision, ok := resource["api_revision"].(float64)
		publication, is := resource["publication_id"].(string)
		if !ok || !is {
			p.t.Fatalf("%q names a decision, which %v is not", text, resource)
		}
		return publication + "/" + strconv.Itoa(int(revision))
	})
	id, ok := resource["id"].(string)
	if !ok {
		p.t.Fatalf("%v has no id", resource)
	}
	return exampleID.ReplaceAllStringFunc(text, func(example string) string {
		if example == resource["publication_id"] {
			return example
		}
		return id
	})
}

// importByCommand gives the resource up and takes it over, with each command of the page.
func (p *page) importByCommand(w *servicetest.Workdir) {
	p.t.Helper()
	for _, command := range importCommand.FindAllStringSubmatch(p.optional("import.sh"), -1) {
		address := command[1]
		id := p.withIDs(command[2], w.State(address))
		w.Run("state", "rm", address).Succeeds(p.t)
		w.Run("import", "-no-color", address, id).Succeeds(p.t, "Import successful")
	}
}

// importByBlock does the same with an import block: nothing is made or destroyed by it,
// and what no import knows is settled by its apply.
func (p *page) importByBlock(w *servicetest.Workdir, name string) {
	p.t.Helper()
	block := p.optional(name)
	if block == "" {
		return
	}
	target := importTarget.FindStringSubmatch(block)
	if target == nil {
		p.t.Fatalf("%s imports nothing:\n%s", name, block)
	}
	w.Write(name, p.withIDs(block, w.State(target[1])))
	w.Run("state", "rm", target[1]).Succeeds(p.t)
	w.Apply().Succeeds(p.t, "1 imported, 0 added,", "0 destroyed")
	w.Plan().Succeeds(p.t, "No changes")
	if err := os.Remove(filepath.Join(w.Dir, name)); err != nil {
		p.t.Fatal(err)
	}
}

// query runs the query of the list of that name.
func (p *page) query(w *servicetest.Workdir) {
	p.t.Helper()
	_, name, isResource := strings.Cut(p.folder, "resources/dataservice_")
	if !isResource || strings.HasPrefix(p.folder, "ephemeral-") {
		return
	}
	const file = "list-resource.tfquery.hcl"
	w.Write(file, p.read(filepath.Join(p.root, "examples", "list-resources", "dataservice_"+name, file)))
	w.Run("query", "-no-color").Succeeds(p.t)
}

var invocation = regexp.MustCompile(`(?m)^# terraform apply (-invoke=\S+)$`)

// invoke runs the command in the page of an action.
func (p *page) invoke(w *servicetest.Workdir) {
	p.t.Helper()
	if !strings.HasPrefix(p.folder, "actions/") {
		return
	}
	command := invocation.FindStringSubmatch(p.optional("action.tf"))
	if command == nil {
		p.t.Fatal("the example does not say how the action is invoked")
	}
	w.Apply(command[1]).Succeeds(p.t, "1 invoked")
}
