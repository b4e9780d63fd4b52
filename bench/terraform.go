// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// memoryGoal is the most memory that the plugin may hold, in bytes.
const memoryGoal = 200_000_000

// pluginVersion is what the mirror of this comparison offers.
const pluginVersion = "0.1.0"

// terraformAtScale measures what Terraform takes for many APIs and their publications
// with the real provider, and with one that has its schema and does nothing. The ratios
// are of processor time, of Terraform with its plugin; the service's own is apart.
func (b *bench) terraformAtScale(ctx context.Context, name string) error {
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		return &leftOutError{fmt.Errorf("no terraform in the PATH: %w", err)}
	}
	dsn, err := b.database(ctx, "sqlite")
	if err != nil {
		return err
	}
	rc, err := b.mirror(ctx)
	if err != nil {
		return err
	}
	o, err := b.startOurs(ctx, "scale")
	if err != nil {
		return err
	}
	defer o.stop()
	connectionID, err := o.connection(ctx, "sqlite", dsn)
	if err != nil {
		return err
	}
	var projects [2]*project
	for i, pkg := range []string{module, "./bench/nothing"} {
		plugin, err := build(ctx, b.dir, pkg)
		if err != nil {
			return err
		}
		if projects[i], err = b.newProject(ctx, terraform, rc, plugin, connectionID, o); err != nil {
			return err
		}
		defer projects[i].state.close()
	}
	fmt.Printf("\n%s: %d APIs, each with five request and five response parameters, and their %d publications; %d rounds in turns\n",
		name, b.terraformAPIs, b.terraformAPIs, b.terraformRounds)
	fmt.Printf("  %-8s %-10s %9s %11s %9s %9s %11s\n", "", "provider", "wall s", "together s", "plugin s", "peak MB", "service s")
	taken := map[string]*[2][]usage{}
	for round := range b.terraformRounds {
		for _, c := range commands {
			order := []int{0, 1}
			if round%2 == 1 {
				slices.Reverse(order)
			}
			for _, i := range order {
				u, err := projects[i].run(ctx, c)
				if err != nil {
					return err
				}
				if taken[c.name] == nil {
					taken[c.name] = new([2][]usage)
				}
				taken[c.name][i] = append(taken[c.name][i], u)
				fmt.Printf("  %-8s %-10s %9.1f %11.2f %9.2f %9.0f %11.2f\n", c.name, projectNames[i],
					u.wall.Seconds(), u.together.Seconds(), u.plugin.Seconds(), float64(u.peak)/1e6, u.service.Seconds())
			}
		}
		if round == 0 {
			if err := alike(projects[0], projects[1]); err != nil {
				return err
			}
		}
	}
	printScale(taken)
	return nil
}

// projectNames are those of the two that are compared, in their order.
var projectNames = [2]string{"ours", "nothing"}

// printScale prints the medians and the ratios, each the median of the rounds' own.
func printScale(taken map[string]*[2][]usage) {
	var peaks [2]int64
	var ratios []string
	fmt.Printf("\n  medians  %-10s %9s %11s %9s %12s %11s\n", "provider", "wall s", "together s", "plugin s", "terraform s", "service s")
	for _, c := range commands {
		both := taken[c.name]
		for i, all := range both {
			of := func(part func(usage) time.Duration) float64 {
				values := make([]time.Duration, len(all))
				for j, u := range all {
					values[j] = part(u)
				}
				return median(values).Seconds()
			}
			fmt.Printf("  %-8s %-10s %9.1f %11.2f %9.2f %12.2f %11.2f\n", c.name, projectNames[i],
				of(func(u usage) time.Duration { return u.wall }), of(func(u usage) time.Duration { return u.together }),
				of(func(u usage) time.Duration { return u.plugin }), of(func(u usage) time.Duration { return u.together - u.plugin }),
				of(func(u usage) time.Duration { return u.service }))
			for _, u := range all {
				peaks[i] = max(peaks[i], u.peak)
			}
		}
		each := make([]float64, len(both[0]))
		for i := range each {
			each[i] = both[0][i].together.Seconds() / both[1][i].together.Seconds()
		}
		ratios = append(ratios, fmt.Sprintf("RATIO terraform-%s %.2f", c.name, median(each)))
	}
	if peaks[0] > 0 {
		fmt.Printf("  The plugin held %.0f MB at most (goal: %d MB), the one that does nothing %.0f MB.\n", float64(peaks[0])/1e6, memoryGoal/1_000_000, float64(peaks[1])/1e6)
	}
	fmt.Println(strings.Join(ratios, "\n"))
}

// command is one that is measured.
type command struct {
	name string
	args []string
	// changed says that the configuration has another definition of its first API.
	changed bool
	// says is what it prints when it did what it should, for so many APIs.
	says func(apis int) string
}

// commands are measured one after the other.
var commands = []command{
	{"apply", []string{"apply", "-auto-approve"}, false, func(n int) string { return fmt.Sprintf("%d added, 0 changed, 0 destroyed", 2*n) }},
	{"plan", []string{"plan"}, false, func(int) string { return "No changes." }},
	{"change", []string{"apply", "-auto-approve"}, true, func(int) string { return "0 added, 2 changed, 0 destroyed" }},
	{"destroy", []string{"destroy", "-auto-approve"}, true, func(n int) string { return fmt.Sprintf("%d destroyed", 2*n) }},
}

// usage is what a command took.
type usage struct {
	wall time.Duration
	// together is the processor time of terraform and of the plugin, plugin that of the
	// plugin alone, service that of the service.
	together, plugin, service time.Duration
	// peak is the most memory that a plugin held, in bytes; 0 where the system does not tell.
	peak int64
}

// project is a directory with a configuration, and the provider that it is applied with.
type project struct {
	dir, terraform, record string
	environment            []string
	apis                   int
	connectionID           string
	state                  *stateBackend
	// kept is the state after the first apply.
	kept    []byte
	service *server
}

func (b *bench) newProject(ctx context.Context, terraform, rc, plugin, connectionID string, o *ours) (*project, error) {
	dir, err := os.MkdirTemp(b.dir, "project-")
	if err != nil {
		return nil, err
	}
	state, err := newStateBackend()
	if err != nil {
		return nil, err
	}
	p := &project{
		dir: dir, terraform: terraform, record: filepath.Join(dir, "record"), apis: b.terraformAPIs, connectionID: connectionID, state: state, service: o.server,
	}
	// What the caller's environment says of Terraform would be measured with it.
	p.environment = append(slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "TF_") || strings.HasPrefix(variable, "GOGC=") || strings.HasPrefix(variable, "GOMEMLIMIT=")
	}),
		"TF_CLI_CONFIG_FILE="+rc, "CHECKPOINT_DISABLE=1", "METER_PLUGIN="+plugin, "METER_RECORD="+p.record,
		"DATASERVICE_ENDPOINT="+o.client.Endpoint(), "DATASERVICE_TOKEN="+o.token)
	if err := p.configure(false); err != nil {
		return nil, err
	}
	if out, err := p.command(ctx, "init", "-input=false").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("terraform init: %w\n%s", err, out)
	}
	return p, nil
}

func (p *project) configure(changed bool) error {
	return os.WriteFile(filepath.Join(p.dir, "main.tf"), manyAPIs(p.apis, p.connectionID, p.state.address, changed), 0o600)
}

func (p *project) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.terraform, append(args, "-no-color")...)
	cmd.Dir, cmd.Env = p.dir, p.environment
	// Terraform that is killed would leave its plugin behind.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	return cmd
}

// run runs a command, and makes sure that it did what it should.
func (p *project) run(ctx context.Context, c command) (usage, error) {
	if err := p.configure(c.changed); err != nil {
		return usage{}, err
	}
	if err := os.RemoveAll(p.record); err != nil {
		return usage{}, err
	}
	cmd := p.command(ctx, append(slices.Clone(c.args), "-input=false")...)
	before, _ := p.service.cpu()
	start := time.Now()
	out, err := cmd.CombinedOutput()
	u := usage{wall: time.Since(start)}
	end := out[max(0, len(out)-3000):]
	if err != nil {
		return usage{}, fmt.Errorf("terraform %s: %w\n%s", c.name, err, end)
	}
	if want := c.says(p.apis); !strings.Contains(string(out), want) {
		return usage{}, fmt.Errorf("terraform %s did not say %q:\n%s", c.name, want, end)
	}
	// The plugin is a child of a child of terraform, and counted with it.
	u.together = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	after, _ := p.service.cpu()
	u.service = after - before
	if u.plugin, u.peak, err = metered(p.record); err != nil {
		return usage{}, err
	}
	if c.name == commands[0].name {
		p.kept = p.state.current()
	}
	return u, nil
}

// metered is what the plugins of one command took together.
func metered(record string) (spent time.Duration, peak int64, err error) {
	text, err := os.ReadFile(record)
	if err != nil {
		return 0, 0, err
	}
	running := 0
	for line := range bytes.Lines(text) {
		var took, held int64
		switch n, _ := fmt.Sscanf(string(line), "ended %d %d", &took, &held); n {
		case 2:
			running--
			spent += time.Duration(took)
			peak = max(peak, held)
		default:
			running++
		}
	}
	if running != 0 || spent == 0 {
		return 0, 0, errors.New("a plugin was ended before its meter could tell what it took")
	}
	return spent, peak, nil
}

// mirror makes a directory where terraform finds the meter in the place of the provider,
// and returns the file that names it.
func (b *bench) mirror(ctx context.Context) (rc string, err error) {
	plugins := filepath.Join(b.dir, "plugins")
	target := filepath.Join(plugins, "registry.terraform.io", "dataservice", "dataservice", pluginVersion, runtime.GOOS+"_"+runtime.GOARCH)
	if err := os.MkdirAll(target, 0o700); err != nil {
		return "", err
	}
	meter, err := build(ctx, b.dir, "./bench/meter")
	if err != nil {
		return "", err
	}
	if err := os.Rename(meter, filepath.Join(target, filepath.Base(module)+"_v"+pluginVersion)); err != nil {
		return "", err
	}
	rc = filepath.Join(b.dir, "scale.rc")
	return rc, os.WriteFile(rc, fmt.Appendf(nil, "provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", plugins), 0o600)
}

// alike makes sure that both providers left states of the same size, or what Terraform
// itself takes for them could not be compared.
func alike(one, other *project) error {
	a, c := len(one.kept), len(other.kept)
	fmt.Printf("  The states after the apply have %d and %d bytes.\n", a, c)
	if difference := float64(a-c) / float64(c); difference < -0.02 || difference > 0.02 {
		return fmt.Errorf("the states have %d and %d bytes, which is not alike", a, c)
	}
	return nil
}
