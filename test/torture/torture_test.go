// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package torture

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
)

var (
	lasts  = flag.Duration("lasts", 0, "how long to torture the service; it is not tortured where 0 (`make torture`)")
	rounds = flag.Int("rounds", 500, "after how many rounds it ends at the latest")
	seed   = flag.Uint64("seed", 0, "which faults come when; by chance where 0")
	bug    = flag.String("bug", "", "the bug to put into the programs; the run is to find it")
	only   = flag.String("only", "", "only faults whose name has this text")
)

func TestMain(m *testing.M) { servicetest.Main(m) }

// TestTorture is `make torture`.
func TestTorture(t *testing.T) {
	if *lasts == 0 {
		t.Skip("takes long; `make torture` runs it")
	}
	servicetest.BuildFlags = []string{overlay(t, *bug)}
	m := &torment{world: newWorld(t), seed: cmp.Or(*seed, rand.Uint64()>>16), record: newRecord()}
	m.injected, m.bit = map[string]int{}, map[string]int{}
	m.faults = slices.DeleteFunc(faults(), func(f fault) bool { return !strings.Contains(f.name, *only) })
	for track := range m.states {
		m.states[track] = state{m.publications[track].Status, "V2"}
	}
	fmt.Printf("Everything runs after %s; seed %d.\n", m.now().Round(time.Second), m.seed)
	// No round begins when the time is over; the last one ends.
	began := time.Now()
	var wrong []string
	for m.rounds < *rounds && time.Since(began) < *lasts && len(wrong) == 0 && t.Context().Err() == nil {
		wrong = m.round(context.WithoutCancel(t.Context()))
		if m.rounds%25 == 0 {
			fmt.Printf("%5s  round %d: %d operations, %d calls\n", time.Since(began).Round(time.Second), m.rounds, m.acknowledged+m.refused+m.unknown+m.read, m.calls)
		}
	}
	m.report(time.Since(began))
	if len(wrong) > 0 {
		fmt.Printf("\nThe round began %s before the end; the last changes:\n%s\n", (m.now() - m.roundBegan).Round(time.Millisecond), m.lastChanges(context.WithoutCancel(t.Context())))
	}
	switch {
	case *bug == "":
		for _, w := range wrong[:min(len(wrong), 10)] {
			t.Error(w)
		}
		if len(wrong) > 10 {
			t.Errorf("and %d more", len(wrong)-10)
		}
	case len(wrong) == 0:
		t.Errorf("the bug %q is not found within %s", *bug, *lasts)
	default:
		fmt.Printf("The bug %q is found in round %d, after %s:\n%s\n", *bug, m.rounds, time.Since(began).Round(time.Second), wrong[0])
	}
}

// report prints what happened.
func (m *torment) report(took time.Duration) {
	fmt.Printf("\n%d rounds in %s, seed %d\n", m.rounds, took.Round(time.Second), m.seed)
	fmt.Printf("operations: %d acknowledged, %d refused, %d of which nobody was told the end, %d reads\n", m.acknowledged, m.refused, m.unknown, m.read)
	fmt.Printf("calls of gateways: %d, of which %d got no answer; %d operations and calls took longer than 0.5 s\n", m.calls, m.unanswered, m.slow)
	fmt.Printf("terraform apply amid faults: %d, of which %d failed; %d writes refused by a full disk\n", m.applied, m.failedApplies, m.fullDisk)
	fmt.Printf("all worked again %s after the last client had ended, at the latest\n\n", m.longestRecovery.Round(10*time.Millisecond))
	fmt.Printf("%-66s %8s %8s\n", "fault", "happened", "did harm")
	for _, name := range slices.Sorted(maps.Keys(m.injected)) {
		fmt.Printf("%-66s %8d %8d\n", name, m.injected[name], m.bit[name])
	}
}
