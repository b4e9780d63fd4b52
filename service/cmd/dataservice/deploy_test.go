// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// deployFolder has what operators begin with.
var deployFolder = filepath.Join("..", "..", "..", "deploy")

// installed is a folder in the place of the root of a machine, with the files that are named to
// the programs there.
func installed(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	write := func(name, text string) {
		name = filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o750), os.WriteFile(name, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	const url, key = "postgres://dataservice:secret@db.example.com/dataservice?sslmode=verify-full\n", "1111111111111111111111111111111111111111111111111111111111111111\n"
	write("credentials/store.url", url)
	write("etc/dataservice/encryption.key", key)
	write("etc/dataservice/secret/encryption.key", key)
	write("etc/dataservice/secret/store.url", url)
	write("var/lib/dataservice/encryption.key", key)
	certificate, secret, err := newCertificateFor(365 * 24 * time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]string{{"fullchain.pem", "privkey.pem"}, {"tls.crt", "tls.key"}} {
		write(filepath.Join("etc/dataservice/tls", pair[0]), string(certificate))
		write(filepath.Join("etc/dataservice/tls", pair[1]), string(secret))
	}
	return root
}

// within moves the absolute paths of a text into that folder.
func within(root, text string) string {
	for _, top := range []string{"/etc/dataservice/", "/var/lib/dataservice"} {
		text = strings.ReplaceAll(text, top, root+top)
	}
	return strings.ReplaceAll(text, "%d/", root+"/credentials/")
}

// wantGood checks that the program could be started so.
func wantGood(t *testing.T, root string, args []string) *settings {
	t.Helper()
	args = slices.Clone(args)
	for i, a := range args {
		args[i] = within(root, a)
	}
	s, found, err := checkConfig(args)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	for _, p := range found {
		t.Errorf("%q: %s", args, p)
	}
	return s
}

// wantParsed checks that there is such a command line.
func wantParsed(t *testing.T, args []string) {
	t.Helper()
	if _, _, err := parse(args, io.Discard, io.Discard); err != nil {
		t.Errorf("%q: %v", args, err)
	}
}

func TestTheUnitsOfSystemdStartTheProgramAsItCanBeStarted(t *testing.T) {
	root := installed(t)
	for _, name := range []string{"dataservice.yaml", "gateway.yaml"} {
		text, err := os.ReadFile(filepath.Join(deployFolder, "systemd", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(root, "etc/dataservice", name), []byte(within(root, string(text))), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	units, err := filepath.Glob(filepath.Join(deployFolder, "systemd", "*.service"))
	if err != nil || len(units) != 2 {
		t.Fatalf("the units are %q, %v", units, err)
	}
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		if commands := regexp.MustCompile(`(?m)^Exec\w+=/usr/bin/dataservice (.*)$`).FindAllStringSubmatch(string(text), -1); len(commands) != 2 {
			t.Errorf("%s starts %q", unit, commands)
		} else {
			s := wantGood(t, root, strings.Fields(commands[0][1]))
			stop := regexp.MustCompile(`(?m)^TimeoutStopSec=(\d+)s$`).FindStringSubmatch(string(text))
			if seconds, _ := strconv.Atoi(stop[1]); time.Duration(seconds)*time.Second <= s.gatewayFlags().ShutdownDelay+stopTimeout {
				t.Errorf("%s cuts calls off: it gives %s s", unit, stop[1])
			}
			check := strings.Fields(within(root, commands[1][1]))
			wantParsed(t, check)
			if code := run(t.Context(), check, io.Discard, io.Discard); code != exitOK {
				t.Errorf("%q ends with %d", check, code)
			}
		}
	}
	dropIn, err := os.ReadFile(filepath.Join(deployFolder, "systemd", "dataservice.service.d", "postgresql.conf"))
	if err != nil || !bytes.Contains(dropIn, []byte("\nEnvironment=DATASERVICE_STORE_FILE=%d/store.url\n")) {
		t.Errorf("the drop-in is %s, %v", dropIn, err)
	}
	t.Setenv("DATASERVICE_STORE_FILE", filepath.Join(root, "credentials/store.url"))
	s := wantGood(t, root, []string{"serve", "--config=/etc/dataservice/dataservice.yaml", "--data-dir=/var/lib/dataservice"})
	if !onPostgreSQL(s.line.Serve.Store) {
		t.Errorf("with the drop-in the store is %s", s.line.Serve.Store)
	}
}

// TestSystemdUnderstandsTheUnits has systemd itself read them, where it is installed.
func TestSystemdUnderstandsTheUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze")
	}
	program, err := os.Executable() // any that there is
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	err = os.CopyFS(dir, os.DirFS(filepath.Join(deployFolder, "systemd")))
	if err != nil {
		t.Fatal(err)
	}
	units, err := filepath.Glob(filepath.Join(dir, "*.service"))
	if err != nil {
		t.Fatal(err)
	}
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err == nil {
			err = os.WriteFile(unit, bytes.ReplaceAll(text, []byte("/usr/bin/dataservice"), []byte(program)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	said, err := exec.CommandContext(t.Context(), analyze, append([]string{"verify", "--man=no"}, units...)...).CombinedOutput()
	// It goes through what the machine has as well: what is said of that is not for us.
	for line := range strings.Lines(string(said)) {
		if strings.Contains(line, "dataservice") {
			t.Errorf("systemd says: %s", line)
		}
	}
	if err != nil {
		t.Errorf("systemd-analyze: %v\n%s", err, said)
	}
}

// manifest is the part of a document for Kubernetes that has to do with the program.
type manifest struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string
	Spec     struct {
		Template struct {
			Spec struct {
				TerminationGracePeriodSeconds int `yaml:"terminationGracePeriodSeconds"`
				Containers                    []struct {
					Args  []string
					Ports []struct {
						Name          string
						ContainerPort int `yaml:"containerPort"`
					}
				}
			}
		}
	}
}

func TestTheManifestsStartTheProgramAsItCanBeStarted(t *testing.T) {
	root := installed(t)
	files, err := filepath.Glob(filepath.Join(deployFolder, "kubernetes", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var manifests []manifest
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		decoder := yaml.NewDecoder(bytes.NewReader(text))
		for {
			var m manifest
			if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			manifests = append(manifests, m)
		}
	}
	for _, m := range manifests {
		for name, text := range m.Data {
			dir := filepath.Join(root, "etc/dataservice/settings")
			if err := errors.Join(os.MkdirAll(dir, 0o750), os.WriteFile(filepath.Join(dir, name), []byte(within(root, text)), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
	}
	started := map[string]bool{}
	for _, m := range manifests {
		for _, c := range m.Spec.Template.Spec.Containers {
			s := wantGood(t, root, c.Args)
			f := s.gatewayFlags()
			listens := map[string]string{"control": s.line.Serve.Listen, "gateway": f.GatewayTLSListen, "metrics": f.MetricsListen}
			for _, p := range c.Ports {
				if _, port, _ := strings.Cut(listens[p.Name], ":"); port != strconv.Itoa(p.ContainerPort) {
					t.Errorf("%s: port %s is %d, and the program listens on %q", m.Metadata.Name, p.Name, p.ContainerPort, listens[p.Name])
				}
			}
			if grace := time.Duration(m.Spec.Template.Spec.TerminationGracePeriodSeconds) * time.Second; grace <= f.ShutdownDelay+stopTimeout {
				t.Errorf("%s ends pods after %s, in the middle of a call", m.Metadata.Name, grace)
			}
			started[c.Args[0]] = true
		}
	}
	if !started["serve"] || !started["gateway"] {
		t.Errorf("the manifests start %v", started)
	}
}

func TestTheContainerFileStartsTheProgramAsItCanBeStarted(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(deployFolder, "container", "Containerfile"))
	if err != nil {
		t.Fatal(err)
	}
	var words, bases []string
	var user string
	list := func(text string) (words []string) {
		if err := json.Unmarshal([]byte(text), &words); err != nil {
			t.Errorf("%s is no list of words, which an image without a shell needs: %v", text, err)
		}
		return words
	}
	instructions := []string{"FROM", "ARG", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
	for line := range strings.Lines(string(text)) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if instruction == "" || instruction == "#" {
			continue
		}
		if !slices.Contains(instructions, instruction) {
			t.Errorf("there is no instruction %s", instruction)
		}
		switch instruction {
		case "FROM":
			bases = append(bases, strings.Fields(rest)[0])
		case "USER":
			user = rest
		case "ENTRYPOINT", "CMD":
			words = append(words, list(rest)...)
		case "HEALTHCHECK":
			_, command, _ := strings.Cut(rest, "CMD ")
			wantParsed(t, list(command)[1:])
		case "ENV":
			name, _, _ := strings.Cut(rest, "=")
			if !knownVariables(t)[name] {
				t.Errorf("there is no variable %s", name)
			}
		case "COPY":
			for _, source := range strings.Fields(rest) {
				if strings.HasPrefix(source, "go.") {
					if _, err := os.Stat(filepath.Join(deployFolder, "..", source)); err != nil {
						t.Error(err)
					}
				}
			}
		}
	}
	if words[0] != "/usr/bin/dataservice" {
		t.Errorf("it starts %q", words)
	}
	wantParsed(t, words[1:])
	if len(bases) != 2 || !strings.Contains(bases[1], "/distroless/static-") {
		t.Errorf("it is made from %q", bases)
	}
	mod, err := os.ReadFile(filepath.Join(deployFolder, "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(mod); !strings.HasSuffix(bases[0], ":"+string(version[1])) {
		t.Errorf("it is built with %s, and go.mod says %s", bases[0], version[1])
	}
	if user != "65532:65532" {
		t.Errorf("it runs as %s", user)
	}
}

func TestTheGeneratedFilesOfSettingsAreThoseInTheRepository(t *testing.T) {
	for name, command := range map[string]string{"config.schema.json": "schema", "dataservice.example.yaml": "example"} {
		var out bytes.Buffer
		if code := run(t.Context(), []string{"config", command}, &out, &out); code != exitOK {
			t.Errorf("config %s: exit code %d", command, code)
		}
		if text, err := os.ReadFile(filepath.Join(deployFolder, name)); err != nil || !bytes.Equal(text, out.Bytes()) {
			t.Errorf("deploy/%s is not what \"dataservice config %s\" prints (%v): run make generate", name, command, err)
		}
	}
}

// Each setting of the example stands there as the program reads it, once its "# " is taken away.
func TestTheExampleOfAFileIsGoodWhenItsCommentsAreTakenAway(t *testing.T) {
	text, err := configExample()
	if err != nil {
		t.Fatal(err)
	}
	all, own, err := configKeys()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(text) {
		if setting, ok := strings.CutPrefix(line, "# "); ok && regexp.MustCompile(`^[a-z-]+: `).MatchString(setting) && !strings.HasPrefix(setting, "yaml-language-server") {
			lines = append(lines, setting)
		}
	}
	if len(lines) != len(all) {
		t.Errorf("the example has %d of %d settings:\n%s", len(lines), len(all), strings.Join(lines, ""))
	}
	name := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(name, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	file, found := readConfigFile(name, all, own["serve"])
	if len(found) > 0 || len(file.values) != len(all) {
		t.Errorf("%d of %d settings are read: %v", len(file.values), len(all), found)
	}
}

// What the help and the guide say is reloaded is what the process reloads.
func TestWhatIsSaidToBeReloadedIsReloaded(t *testing.T) {
	all, _, err := configKeys()
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, f := range all {
		if f.Tag.Get("reload") == "value" {
			said = append(said, f.Name)
		}
	}
	r := everyReload(t)
	does := r.start().Settings()
	slices.Sort(said)
	slices.Sort(does)
	if !slices.Equal(said, does) {
		t.Errorf("said to be reloaded:\n%s\nreloaded:\n%s", said, does)
	}
}

// everyReload has all parts that a service can have.
func everyReload(t *testing.T) *reloading {
	t.Helper()
	s, _, err := parse([]string{"serve"}, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	r := newReloading(s, nil, nil)
	t.Cleanup(r.stop)
	r.gateway(nil, nil, nil, nil)
	r.control(nil, nil, nil)
	return r
}
