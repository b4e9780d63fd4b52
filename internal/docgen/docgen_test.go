// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// The generators read sources and guides by their path in the repository.
func TestMain(m *testing.M) {
	if err := os.Chdir(filepath.Join("..", "..")); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestTextIsInsertedBetweenItsMarkers(t *testing.T) {
	const page = "# Page\n\n<!-- errors: begin -->\nold\n<!-- errors: end -->\n\nEnd.\n"
	want := "# Page\n\n<!-- errors: begin -->\n\nnew\n\n<!-- errors: end -->\n\nEnd.\n"
	got, err := between(page, "errors", "new\n")
	if err != nil || got != want {
		t.Errorf("got %q, %v\nwant %q", got, err, want)
	}
	if again, err := between(got, "errors", "new\n"); err != nil || again != want {
		t.Errorf("inserting it again changes the page to %q, %v", again, err)
	}
	for name, broken := range map[string]string{
		"without markers":                 "# Page\n",
		"without the second marker":       "<!-- errors: begin -->\n",
		"with markers in the wrong order": "<!-- errors: end -->\n<!-- errors: begin -->\n",
		"with the markers twice":          page + page,
	} {
		if got, err := between(broken, "errors", "new"); err == nil {
			t.Errorf("a page %s became %q", name, got)
		}
	}
}

func TestTheNumbersAreThoseOfTheSourceDocuments(t *testing.T) {
	text := numberCodes()
	for _, says := range []string{
		"| 0 `WIZARD`, 1 `SCRIPT`, 2 `REGISTRATION` |",
		"| 0 `GET`, 1 `POST`, 2 `PUT`, 3 `DELETE` |",
		"| 0 `HTTP`, 1 `HTTPS` |",
		"| 0 `XML`, 1 `JSON`, 2 `FORM` |",
		"| 0 `JSON`, 1 `XML` |",
		"| 0 `WORKSPACE`, 1 `PRIVATE` |",
		"| 0 `BASIC`, 1 `MYBATIS` |",
		"| 0 `PATH`, 1 `QUERY`, 2 `HEADER`, 3 `BODY` |",
		"| 0 `EQUAL`, 1 `LIKE`, 2 `CONST`, 3 `IN` |",
		"| 0 `STRING`, 1 `INT`, 2 `LONG`, 3 `FLOAT`, 4 `DOUBLE`, 5 `BOOLEAN`, 6 `STRING_LIST`, 7 `INT_LIST`, 8 `LONG_LIST`, 9 `FLOAT_LIST`, 10 `DOUBLE_LIST`, 11 `BOOLEAN_LIST` |",
	} {
		if !strings.Contains(text, says) {
			t.Errorf("the table does not say %q:\n%s", says, text)
		}
	}
}

func TestTheLifecycleTablesHoldEveryCallOfEveryState(t *testing.T) {
	text := lifecycleTable()
	sections := strings.Split(text, "### ")[1:]
	states := map[service.State]bool{}
	for _, r := range service.LifecycleTable() {
		states[r.State] = true
	}
	if len(sections) != len(states) {
		t.Errorf("there are %d sections for %d states", len(sections), len(states))
	}
	for _, s := range sections {
		title, _, _ := strings.Cut(s, "\n")
		for _, call := range service.Calls {
			if n := strings.Count(s, "| `"+string(call)+"` |") + strings.Count(s, "- `"+string(call)+"`:"); n != 1 {
				t.Errorf("section %q tells of %s %d times", title, call, n)
			}
		}
	}
	for _, line := range []string{
		"| `PUBLISH` | → `PUBLISH_WAIT_REVIEW`, and a new application waits | → `PUBLISHED`, the candidate becomes the version |",
		"| `APPROVE` | not allowed | → `PUBLISHED`, the application is `APPROVED`, the candidate becomes the version |",
		"| `RESTORE` | → `RECOVER_WAIT_REVIEW`, and a new application waits | → `PUBLISHED` |",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("there is no line %q", line)
		}
	}
	if strings.Contains(text, string(service.CodeInternal)) {
		t.Errorf("a cell is refused as a fault of the service:\n%s", text)
	}
}

func TestTheProvidersSchemaIsWhatTheDocumentationToolReads(t *testing.T) {
	provider, err := providerSchema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := provider.json()
	if err != nil {
		t.Fatal(err)
	}
	var got schemas
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	p := got.Providers["dataservice"]
	for _, name := range []string{"dataservice_connection", "dataservice_group", "dataservice_folder", "dataservice_api", "dataservice_publication", "dataservice_review", "dataservice_app"} {
		if len(p.Resources[name].Block.Attributes) == 0 {
			t.Errorf("resource %s has no attributes", name)
		}
	}
	password := p.Resources["dataservice_connection"].Block.Attributes["password_wo"]
	if !password.WriteOnly || string(password.Type) != `"string"` {
		t.Errorf("password_wo is %+v, want a write-only string", password)
	}
	secret := p.EphemeralResources["dataservice_app_credentials"].Block.Attributes["secret"]
	if !secret.Computed || !secret.Sensitive {
		t.Errorf("the secret of an app is %+v, want a computed sensitive string", secret)
	}
	parameters := p.Functions["script_parameters"]
	if len(parameters.Parameters) != 1 || parameters.Parameters[0].Name != "sql" || parameters.Variadic == nil || strings.Join(strings.Fields(string(parameters.ReturnType)), "") != `["list","string"]` {
		t.Errorf("script_parameters is %+v, want a function of a SQL and maybe its mode that returns texts", parameters)
	}
	script := p.Resources["dataservice_api"].Block.Attributes["script"]
	if script.NestedType == nil || script.NestedType.NestingMode != "single" || !script.NestedType.Attributes["sql"].Required {
		t.Errorf("script is %+v, want an object with a required sql", script)
	}
}

func TestTheTableOfDesiredStatusesHoldsEveryStatus(t *testing.T) {
	provider, err := providerSchema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := provider.desiredStatusTable()
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range service.Statuses {
		if !strings.Contains(text, "| `"+string(status)+"` |") {
			t.Errorf("there is no row of %s in\n%s", status, text)
		}
	}
}

func TestTheOpenAPIDocumentListsItsCallsAndCodes(t *testing.T) {
	d, err := openAPIDocument(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	calls := d.operations()
	codes, err := d.codes()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"`POST /publications`", "`POST /reviews/{id}/approve`", "`GET /api/v1/whoami`"} {
		if !strings.Contains(calls, want) {
			t.Errorf("the calls have no %s:\n%s", want, calls)
		}
	}
	for _, want := range []service.Code{service.CodeInvalid, service.CodeBusy, service.CodeInternal} {
		if !strings.Contains(codes, "| `"+string(want)+"` | ") {
			t.Errorf("the codes have no %s:\n%s", want, codes)
		}
	}
}

func TestThereIsAdviceForEveryCodeAndForNothingElse(t *testing.T) {
	text, err := troubleTable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range service.Codes {
		if strings.Count(text, "| `"+string(c)+"` | ") != 1 {
			t.Errorf("there is no advice for %s in\n%s", c, text)
		}
	}
	for c := range remedies {
		if !slices.Contains(service.Codes, c) {
			t.Errorf("there is advice for %s, which no error has", c)
		}
	}
}

func TestTheFlagsOfTheServiceAreListed(t *testing.T) {
	text, err := serveFlags()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| `--data-dir` | `DATASERVICE_DATA_DIR` | `./dataservice-data` |", "| `--sqlite-dir` | `DATASERVICE_SQLITE_DIR` |"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
}

func TestTheSettingsOfBothCommandsAreListedOnce(t *testing.T) {
	text, err := settingsTable()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| `max-calls` | `--max-calls` | `DATASERVICE_MAX_CALLS` | `256` |", "*Of `serve` alone.* | SIGHUP |", "*Of `gateway` alone.* | restart |",
		"| SIGHUP, what the file holds |", "| `instance` | `--instance` |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
	if strings.Count(text, "| `data-dir` |") != 1 || strings.Contains(text, "| `config` |") {
		t.Errorf("data-dir is not there once, or config is:\n%s", text)
	}
}

func TestTheFlagsOfAGatewayAreListed(t *testing.T) {
	text, err := gatewayFlags()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| `--instance` | `DATASERVICE_INSTANCE` |", "| `--gateway-listen` | `DATASERVICE_GATEWAY_LISTEN` | `127.0.0.1:8081` |"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "`--listen`") || strings.Contains(text, "--public-url") {
		t.Errorf("a gateway has flags of the control plane:\n%s", text)
	}
}

// A resource that some promise has no test for, or a test that is not there any more, shows.
func TestEveryPromiseIsTestedForEveryResource(t *testing.T) {
	provider, err := providerSchema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for _, folder := range []string{"acceptance", "provider", "demo"} {
		files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("the tests in %s are %v, %v", folder, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`).FindAllStringSubmatch(string(text), -1) {
				tests[folder+"."+found[1]] = true
			}
		}
	}
	// A test of all kinds must have one of each.
	adoption, err := os.ReadFile(filepath.Join("acceptance", "adoption_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range provider.Resources {
		for _, p := range promises {
			test := p.forResource(name).test
			if !tests[test] {
				t.Errorf("%s: %q is shown by %s, which is not there", name, p.says, test)
			}
			if strings.HasPrefix(test, "acceptance.") && p.of[name].test == "" && !strings.Contains(string(adoption), "resource \""+name+"\"") && test != "acceptance.TestTheTokenIsFoundNowhere" {
				t.Errorf("%s: %s is a test of the configuration in adoption_test.go, which has none", name, test)
			}
		}
	}
	// What a page does not show, nothing applies.
	for name := range provider.Resources {
		for _, file := range []string{"resource.tf", "import.sh", "import-by-string-id.tf", "import-by-identity.tf"} {
			if _, err := os.Stat(filepath.Join("examples", "resources", name, file)); err != nil {
				t.Errorf("%s has no example: %v", name, err)
			}
		}
	}
	for _, p := range promises {
		for name := range p.of {
			if _, exists := provider.Resources[name]; !exists {
				t.Errorf("there is no resource %s for %s", name, p.of[name].test)
			}
		}
	}
}

func TestThePictureOfTheLifecycleHasEveryStep(t *testing.T) {
	text := lifecyclePicture()
	steps := 0
	for _, r := range service.LifecycleTable() {
		if r.Refused == "" {
			steps++
		}
	}
	if got := strings.Count(text, "─> "); got != steps || steps == 0 {
		t.Errorf("%d steps are drawn of %d", got, steps)
	}
	for _, says := range []string{
		"\nPUBLISHED + application\n", "SUSPEND ───> WAITING_STOP while apps are authorized, else STOPPED\n",
		"PUBLISH ───> PUBLISHED + application where it is to be reviewed, else PUBLISHED\n", "PUBLISH ───> PUBLISH_WAIT_REVIEW where it is to be reviewed, else PUBLISHED\n",
		"DELETE ────> no record\n",
	} {
		if !strings.Contains(text, says) {
			t.Errorf("the picture does not say %q:\n%s", says, text)
		}
	}
}
