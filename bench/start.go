// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// What a start may take.
const (
	startGoal = 300 * time.Millisecond
	idleGoal  = 40 << 20
)

// starts is how often the service is started, and idleFor how long it is left alone
// before its memory is read.
const (
	starts  = 9
	idleFor = 5 * time.Second
)

// measureStart prints how large both programs are, as a release builds them, how long the
// service takes from its start until /readyz says that it is ready, and what memory it holds
// when nobody asks anything of it.
func (b *bench) measureStart(ctx context.Context, name string) error {
	fmt.Printf("\n%s:\n", name)
	for _, p := range []struct{ name, pkg string }{{"dataservice", "./service/cmd/dataservice"}, {"terraform-provider-dataservice", "."}} {
		file := filepath.Join(b.dir, "release-"+p.name)
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", file, p.pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", p.name, err, out)
		}
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		fmt.Printf("  %-32s %6.1f MB\n", p.name, float64(info.Size())/(1<<20))
		if p.name == "dataservice" {
			// What people run is what is started here.
			defer func(built string) { b.service = built }(b.service)
			b.service = file
		}
	}
	for _, side := range []struct {
		what  string
		flags []string
	}{
		{"the service", nil},
		{"the service with traces and an access log", []string{"--trace-endpoint", "http://127.0.0.1:9", "--access-log", filepath.Join(b.dir, name+"-access.log")}},
	} {
		var fresh, again, used []time.Duration
		for i := range starts {
			data := fmt.Sprintf("%s-%d-%d", name, len(side.flags), i)
			for _, took := range []*[]time.Duration{&fresh, &again} {
				o, t, err := b.launch(ctx, "serve", data, side.flags)
				if err != nil {
					return err
				}
				*took = append(*took, t)
				if cpu, known := o.cpu(); known && took == &again {
					used = append(used, cpu)
				}
				o.stop()
			}
		}
		fmt.Printf("  %s is ready %s after its first start, and %s after a later one (medians of %d; the goal is %s)\n", side.what, round(median(fresh)), round(median(again)), starts, startGoal)
		if len(used) > 0 {
			// On a machine that has other things to do this is the steadier figure.
			fmt.Printf("  a later start takes %s of processor time\n", round(median(used)))
		}
		o, _, err := b.launch(ctx, "serve", fmt.Sprintf("%s-%d-0", name, len(side.flags)), side.flags)
		if err != nil {
			return err
		}
		select {
		case <-time.After(idleFor):
		case <-ctx.Done():
			return ctx.Err()
		}
		all, own, err := o.resident()
		o.stop()
		if err != nil {
			fmt.Printf("  its memory is not known: %v\n", err)
			continue
		}
		fmt.Printf("  idle, it holds %.1f MB, of which %.1f MB are its own and the rest is the program's file (the goal is %d MB)\n", float64(all)/(1<<20), float64(own)/(1<<20), idleGoal>>20)
	}
	return nil
}

// resident returns the memory that the process holds, in bytes: with the pages of files that
// it has mapped, such as its program, and without.
func (s *server) resident() (all, own int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	of := map[string]int64{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.HasSuffix(strings.TrimSpace(value), " kB") {
			n, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err == nil {
				of[key] = n << 10
			}
		}
	}
	if of["VmRSS"] == 0 {
		return 0, 0, errors.New("/proc does not tell")
	}
	return of["VmRSS"], of["RssAnon"], nil
}
