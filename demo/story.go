// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// story is the state of the play.
type story struct {
	dir, bin string
	screen   *screen
	cli      cli
	service  *runningService

	developer, reviewer identity
	url                 string // of the API, once it is known
	publication         string // its id
}

// identity is somebody who runs Terraform.
type identity struct {
	name  string
	token string
	dir   string // of that person's configuration
}

// The call that the story makes again and again.
const query = "?continent=Europe&currency=EUR&pageSize=4"

func (s *story) play(ctx context.Context) error {
	for _, step := range []struct {
		heading string
		play    func(context.Context) error
	}{
		{"The service starts", s.startService},
		{"Somebody has data", s.makeData},
		{"Two people get a token", s.makeIdentities},
		{"The developer applies", s.apply},
		{"Nothing is left to do for Terraform, and the API waits for review", s.seePending},
		{"The reviewer approves, with Terraform too", s.approve},
		{"The API answers", s.call},
		{"The developer's plan is still empty", s.seeNoChange},
		{"The reviewer suspends the API", s.suspend},
		{"And restores it", s.restore},
		{"The developer changes the SQL", s.change},
		{"The reviewer approves the change", s.approveChange},
		{"Only a reviewer may take the API offline", s.refuseDestroy},
		{"The reviewer takes it offline", s.destroy},
		{"The service stops", s.stopService},
	} {
		s.screen.heading(step.heading)
		if err := step.play(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) startService(ctx context.Context) error {
	data := filepath.Join(s.dir, "data")
	args := []string{"serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0"}
	s.screen.say("One program: the control plane, which Terraform talks to, and the gateway, which answers\n    calls. Everything lies in %s and is removed at the end.", s.dir)
	s.screen.command("operator", "dataservice %s", quoteArgs(args))
	var err error
	s.service, err = startService(ctx, executable(s.bin, serviceProgram), data, filepath.Join(s.dir, "service.log"), args...)
	if err != nil {
		return err
	}
	s.screen.output("control plane  " + s.service.ControlPlane + "\ngateway        " + s.service.Gateway)
	return nil
}

func (s *story) makeData(ctx context.Context) error {
	file := filepath.Join(s.dir, "data", "databases", "world.db")
	s.screen.say("Every country, language and currency, in a SQLite file where the service may open it.")
	s.screen.command("operator", "go run ./examples/quickstart/world %s", file)
	out, err := makeWorld(ctx, ".", file)
	if err != nil {
		return fmt.Errorf("the data was not made: %w\n%s", err, out)
	}
	s.screen.output(string(out))
	return nil
}

// makeWorld runs the quickstart's generator from the repository's root.
func makeWorld(ctx context.Context, root, file string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", "run", "./examples/quickstart/world", file)
	cmd.Dir = root
	return cmd.CombinedOutput()
}

func (s *story) makeIdentities(ctx context.Context) error {
	s.screen.say("Both are developers; the second has the reviewer right. The first start left an admin's token\n    in the data directory, and that is used here.")
	for _, member := range []struct {
		to    *identity
		name  string
		flags []string
		dir   string
	}{
		{&s.developer, "developer", nil, filepath.Join(s.dir, "quickstart")},
		{&s.reviewer, "reviewer", []string{"--reviewer"}, filepath.Join(s.dir, "quickstart", "review")},
	} {
		args := tokenArgs(s.service.dataDir, member.name, member.flags...)
		s.screen.command("operator", "dataservice %s", quoteArgs(args))
		token, err := createToken(ctx, executable(s.bin, serviceProgram), args)
		if err != nil {
			return fmt.Errorf("no token for %s: %w", member.name, err)
		}
		*member.to = identity{name: member.name, token: token, dir: member.dir}
		s.screen.output("(a token, which is not shown here)")
	}
	return nil
}

func tokenArgs(dataDir, member string, flags ...string) []string {
	return append([]string{"token", "create", "--data-dir", dataDir, "--member", member, "--role", "DEVELOPER"}, flags...)
}

// createToken runs `dataservice token create`, which prints the token alone.
func createToken(ctx context.Context, program string, args []string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = cleanEnvironment(os.Environ())
	var messages strings.Builder
	cmd.Stderr = &messages
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, messages.String())
	}
	token := strings.TrimSpace(string(out))
	if token == "" || strings.ContainsAny(token, " \n") {
		return "", fmt.Errorf("`token create` printed %d bytes that are no token", len(out))
	}
	return token, nil
}

// copyConfiguration copies a folder's configurations with their SQL, and nothing of what
// Terraform left there when somebody applied them: a state, a lock file, plugins, variables.
func copyConfiguration(to, from string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if entry.Name() == ".terraform" {
				return filepath.SkipDir
			}
			return nil
		}
		if extension := filepath.Ext(path); extension != ".tf" && extension != ".sql" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o644)
	})
}

func (s *story) apply(ctx context.Context) error {
	if err := copyConfiguration(s.developer.dir, filepath.Join("examples", "quickstart")); err != nil {
		return err
	}
	s.screen.say("A connection, an API whose SQL lies beside it in countries.sql, and its publication: examples/quickstart.")
	if _, err := s.run(ctx, s.developer, s.developer.dir, 0, "init"); err != nil {
		return err
	}
	out, err := s.run(ctx, s.developer, s.developer.dir, 0, "apply", "-auto-approve")
	if err != nil {
		return err
	}
	publication, err := s.publicationInState(ctx)
	if err != nil {
		return err
	}
	s.publication = publication.ID
	if publication.Status != "PUBLISH_WAIT_REVIEW" {
		return fmt.Errorf("the publication's status is %q, want PUBLISH_WAIT_REVIEW", publication.Status)
	}
	if review := publication.ReviewID; review == "" || !strings.Contains(out, "Warning") || !strings.Contains(out, review) {
		return fmt.Errorf("the apply did not warn of the pending review %q", review)
	}
	if s.url = publication.URL; s.url != s.service.Gateway+"/countries" {
		return fmt.Errorf("the publication's URL is %q, want one at the gateway", s.url)
	}
	return nil
}

func (s *story) seePending(ctx context.Context) error {
	if err := s.planIsEmpty(ctx, s.developer); err != nil {
		return err
	}
	s.screen.say("Nobody can call what nobody has approved:")
	_, err := s.get(ctx, http.StatusNotFound)
	return err
}

func (s *story) approve(ctx context.Context) error {
	s.screen.say("A configuration and a state of its own, with the reviewer's token: examples/quickstart/review.")
	if _, err := s.run(ctx, s.reviewer, s.reviewer.dir, 0, "init"); err != nil {
		return err
	}
	return s.decide(ctx, 1, "Reads only public data.")
}

func (s *story) decide(ctx context.Context, revision int, comment string) error {
	_, err := s.run(ctx, s.reviewer, s.reviewer.dir, 0, "apply", "-auto-approve",
		"-var=publication_id="+s.publication, fmt.Sprintf("-var=api_revision=%d", revision), "-var=comment="+comment)
	return err
}

func (s *story) call(ctx context.Context) error {
	body, err := s.get(ctx, http.StatusOK)
	if err != nil {
		return err
	}
	return expectFirst(body, "Andorra")
}

func (s *story) seeNoChange(ctx context.Context) error {
	s.screen.say("What the reviewer did is what the developer had asked for, so it is no drift.")
	return s.planIsEmpty(ctx, s.developer)
}

func (s *story) suspend(ctx context.Context) error {
	s.screen.say("The developer's configuration, with the reviewer's token: suspending is for reviewers.")
	if _, err := s.run(ctx, s.reviewer, s.developer.dir, 0, "apply", "-auto-approve", "-var=desired_status=STOPPED"); err != nil {
		return err
	}
	if _, err := s.get(ctx, http.StatusForbidden); err != nil {
		return err
	}
	return s.planIsEmpty(ctx, s.reviewer, "-var=desired_status=STOPPED")
}

func (s *story) restore(ctx context.Context) error {
	s.screen.say("Without that variable the configuration says PUBLISHED. A reviewer needs no review.")
	if _, err := s.run(ctx, s.reviewer, s.developer.dir, 0, "apply", "-auto-approve"); err != nil {
		return err
	}
	if _, err := s.get(ctx, http.StatusOK); err != nil {
		return err
	}
	return s.planIsEmpty(ctx, s.reviewer)
}

func (s *story) change(ctx context.Context) error {
	const from, to = "ORDER BY r.name", "ORDER BY r.name DESC"
	file := filepath.Join(s.developer.dir, "countries.sql")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if strings.Count(string(text), from) != 1 {
		return fmt.Errorf("%s does not have %q once", file, from)
	}
	s.screen.say("From Z to A, that is. The changed definition is revision 2, and it goes to review.")
	s.screen.command(s.developer.name+":quickstart", "sed -i 's/%s/%s/' countries.sql", from, to)
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), from, to, 1)), 0o644); err != nil {
		return err
	}
	const remark = "-var=remark=From Z to A"
	if _, err := s.run(ctx, s.developer, s.developer.dir, 0, "apply", "-auto-approve", remark); err != nil {
		return err
	}
	if err := s.planIsEmpty(ctx, s.developer, remark); err != nil {
		return err
	}
	s.screen.say("Meanwhile the first version answers, undisturbed:")
	body, err := s.get(ctx, http.StatusOK)
	if err != nil {
		return err
	}
	return expectFirst(body, "Andorra")
}

func (s *story) approveChange(ctx context.Context) error {
	if err := s.decide(ctx, 2, "Fine."); err != nil {
		return err
	}
	body, err := s.get(ctx, http.StatusOK)
	if err != nil {
		return err
	}
	return expectFirst(body, "Åland Islands")
}

func (s *story) refuseDestroy(ctx context.Context) error {
	s.screen.say("So when the developer tries, nothing happens but an error that says so.")
	out, err := s.run(ctx, s.developer, s.developer.dir, 1, "destroy", "-auto-approve", "-var=remark=From Z to A")
	if err != nil {
		return err
	}
	if !strings.Contains(out, "reviewer") {
		return fmt.Errorf("the refusal does not say who may take the API offline")
	}
	_, err = s.get(ctx, http.StatusOK)
	return err
}

func (s *story) destroy(ctx context.Context) error {
	if _, err := s.run(ctx, s.reviewer, s.developer.dir, 0, "destroy", "-auto-approve", "-var=remark=From Z to A"); err != nil {
		return err
	}
	_, err := s.get(ctx, http.StatusNotFound)
	return err
}

func (s *story) stopService(context.Context) error {
	s.screen.command("operator", "kill -TERM %d", s.service.cmd.Process.Pid)
	began := time.Now()
	if err := s.service.stop(); err != nil {
		return err
	}
	s.screen.output(fmt.Sprintf("The service finished its calls and ended after %d ms, with exit status 0.", time.Since(began).Milliseconds()))
	return nil
}

// run runs Terraform as somebody and demands an exit status.
func (s *story) run(ctx context.Context, who identity, dir string, status int, args ...string) (string, error) {
	place, err := filepath.Rel(s.dir, dir)
	if err != nil {
		return "", err
	}
	s.screen.command(who.name+":"+filepath.ToSlash(place), "%s %s", s.cli.name(), quoteArgs(args))
	out, got, err := s.cli.run(ctx, dir, s.environment(who), args...)
	if args[0] != "init" || err != nil || got != status {
		s.screen.output(s.cli.shorten(out))
	} else {
		s.screen.output(firstLine(out, "Installed dataservice/dataservice"))
	}
	if err != nil {
		return out, fmt.Errorf("%s %s did not run: %w", s.cli.name(), args[0], err)
	}
	if got != status {
		return out, fmt.Errorf("%s %s ended with exit status %d, want %d", s.cli.name(), args[0], got, status)
	}
	return out, nil
}

// environment is all that tells the provider where and who.
func (s *story) environment(who identity) []string {
	return []string{"DATASERVICE_ENDPOINT=" + s.service.ControlPlane, "DATASERVICE_TOKEN=" + who.token}
}

// planIsEmpty plans the developer's configuration with the arguments of the last apply.
func (s *story) planIsEmpty(ctx context.Context, who identity, args ...string) error {
	// The status says it: 0 nothing to do, 2 something to do.
	_, err := s.run(ctx, who, s.developer.dir, 0, append([]string{"plan", "-detailed-exitcode"}, args...)...)
	return err
}

// publication is what the developer's state knows of it.
type publication struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	ReviewID string `json:"review_id"`
	URL      string `json:"url"`
}

func (s *story) publicationInState(ctx context.Context) (publication, error) {
	out, status, err := s.cli.run(ctx, s.developer.dir, nil, "show", "-json")
	if err != nil || status != 0 {
		return publication{}, fmt.Errorf("the state cannot be read (exit status %d): %w\n%s", status, err, out)
	}
	var state struct {
		Values struct {
			RootModule struct {
				Resources []struct {
					Type   string          `json:"type"`
					Values json.RawMessage `json:"values"`
				} `json:"resources"`
			} `json:"root_module"`
		} `json:"values"`
	}
	if err := json.Unmarshal([]byte(out), &state); err != nil {
		return publication{}, fmt.Errorf("the state is not JSON: %w\n%s", err, out)
	}
	for _, r := range state.Values.RootModule.Resources {
		if r.Type == "dataservice_publication" {
			var p publication
			err := json.Unmarshal(r.Values, &p)
			return p, err
		}
	}
	return publication{}, fmt.Errorf("there is no dataservice_publication in the state")
}

// get calls the API and demands a status.
func (s *story) get(ctx context.Context, status int) ([]byte, error) {
	s.screen.command("caller", "curl '%s%s'", s.url, query)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+query, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("the gateway does not answer: %w", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("the gateway's answer broke off: %w", err)
	}
	s.screen.output("HTTP " + answer.Status + "\n" + pretty(body))
	if answer.StatusCode != status {
		return body, fmt.Errorf("the call was answered with HTTP %d, want %d", answer.StatusCode, status)
	}
	return body, nil
}

// expectFirst demands the name of the first row.
func expectFirst(body []byte, name string) error {
	var answer struct {
		Data struct {
			Rows []struct {
				Name string `json:"name"`
			} `json:"rows"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("the answer is not what a paged API answers: %w", err)
	}
	if len(answer.Data.Rows) == 0 || answer.Data.Rows[0].Name != name {
		return fmt.Errorf("the first row is not %s", name)
	}
	return nil
}

// firstLine returns the first line with the text in it.
func firstLine(output, text string) string {
	for line := range strings.Lines(output) {
		if strings.Contains(line, text) {
			return strings.TrimSpace(line)
		}
	}
	return output
}
