// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// tally is what happened in the whole run.
type tally struct {
	rounds                               int
	injected, bit                        map[string]int
	acknowledged, refused, unknown, read int
	calls, unanswered, slow              int
	applied, failedApplies               int
	fullDisk                             int
	longestRecovery                      time.Duration
}

// torment is a run.
type torment struct {
	*world
	tally
	seed   uint64
	record *record
	// after is the sequence number of the last event that was read.
	after      int64
	roundBegan time.Duration
	// states are what the publications are at the begin of a round.
	states [tracks]state
}

// everyDisk is every how many rounds the small disk is filled.
const everyDisk = 10

// round lets things happen for some seconds, and returns what is wrong afterwards.
func (m *torment) round(ctx context.Context) (wrong []string) {
	m.rounds++
	seed := m.seed + uint64(m.rounds)
	random := rand.New(rand.NewPCG(seed, 0))
	m.world.blinds = [replicas][]blind{}
	if err := m.keepsUp(ctx); err != nil {
		return []string{fmt.Sprintf("before round %d: %v", m.rounds, err)}
	}
	m.roundBegan = m.now()
	drive, stop := context.WithCancel(ctx)
	defer stop()
	var (
		working sync.WaitGroup
		seen    *traffic
	)
	working.Go(func() { seen = m.drive(drive, m.rounds, seed) })
	working.Go(func() { m.applyMeanwhile(drive) })
	said := m.happen(ctx, random)
	stop()
	working.Wait()
	if m.rounds%everyDisk == 0 {
		failed, more := m.sqlite.fill(ctx, random.IntN(2) == 0)
		m.injected["a disk is full"]++
		if failed > 0 {
			m.bit["a disk is full"]++
		}
		m.fullDisk += failed
		wrong = append(wrong, more...)
	}
	took, err := m.recover(ctx)
	if err != nil {
		return append(wrong, fmt.Sprintf("after %s: %v", said, err))
	}
	m.longestRecovery = max(m.longestRecovery, took)
	wrong = append(wrong, m.check(ctx, seen)...)
	wrong = append(wrong, m.converge(ctx)...)
	for i := range wrong {
		wrong[i] = fmt.Sprintf("after %s: %s", said, wrong[i])
	}
	return wrong
}

// happen lets one to five faults happen, some at the same time, and says which.
func (m *torment) happen(ctx context.Context, random *rand.Rand) string {
	var (
		happening sync.WaitGroup
		mu        sync.Mutex
		said      []string
	)
	for range 1 + random.IntN(5) {
		f := one(random, m.faults)
		after := time.Duration(random.IntN(1000)) * time.Millisecond
		lasts := f.longest/4 + time.Duration(random.Float64()*float64(f.longest)*3/4)
		said = append(said, f.name)
		own := rand.New(rand.NewPCG(random.Uint64(), random.Uint64()))
		happening.Go(func() {
			pause(ctx, after)
			lasting, end := context.WithTimeout(ctx, lasts)
			defer end()
			if f.longest == 0 { // it is over when it has happened
				lasting = ctx
			}
			bit := f.happen(lasting, m.world, own)
			mu.Lock()
			defer mu.Unlock()
			m.injected[f.name]++
			if bit {
				m.bit[f.name]++
			}
		})
	}
	happening.Wait()
	pause(ctx, 300*time.Millisecond)
	return strings.Join(said, ", ")
}

// applyMeanwhile lets Terraform apply something else again and again while faults happen,
// at any of the services. It may fail.
func (m *torment) applyMeanwhile(ctx context.Context) {
	for pause(ctx, 100*time.Millisecond) {
		m.applying.Lock()
		m.number++
		m.terraform.Set(fmt.Sprintf("number=%d", m.number))
		endpoint := "DATASERVICE_ENDPOINT=http://" + m.controls[m.number%replicas].front.Listen
		m.terraform.Env = append(m.terraform.Env, endpoint)
		if m.terraform.BeginApply().Wait(2*time.Minute).Code != 0 {
			m.failedApplies++
		}
		m.applied++
		m.applying.Unlock()
	}
}

// check compares what was seen with what is on record.
func (m *torment) check(ctx context.Context, seen *traffic) (wrong []string) {
	c, until := m.clients[0], m.now()
	var last [tracks]state
	for track, p := range m.publications {
		o := operation{track: track, client: -1, kind: kindRead, called: m.now()}
		read, err := c.Publication(ctx, p.ID, 0)
		if err != nil {
			return []string{fmt.Sprintf("publication %d cannot be read: %v", track, err)}
		}
		last[track] = state{read.Status, read.Live.Name}
		o.returned, o.outcome, o.seen = m.now(), acknowledged, last[track]
		seen.operated(o)
	}
	for {
		l, err := c.Events(ctx, client.EventFilter{}, m.after, 200)
		if err != nil {
			return append(wrong, fmt.Sprintf("the events cannot be read: %v", err))
		}
		if len(l.Items) == 0 {
			break
		}
		wrong = append(wrong, m.record.add(l.Items)...)
		m.after = l.Items[len(l.Items)-1].Sequence
	}
	if report, err := c.VerifyEvents(ctx); err != nil || !report.Intact {
		wrong = append(wrong, fmt.Sprintf("the audit trail is broken: %+v (%v)", report, err))
	}
	var served [tracks]effects
	for track, history := range seen.operations {
		wrong = append(wrong, m.record.check(history)...)
		if !ordered(m.states[track], history) {
			lines := make([]string, len(history))
			for i, o := range history {
				lines[i] = o.String()
			}
			wrong = append(wrong, fmt.Sprintf("what clients were told of publication %d, which was %v, fits into no order:\n%s", track, m.states[track], strings.Join(lines, "\n")))
		}
		served[track] = effectsOf(m.states[track], history, m.record.happened, until)
	}
	for _, c := range seen.calls {
		if !served[c.track].permitted(c, m.blinds[c.gateway]) {
			wrong = append(wrong, fmt.Sprintf("track %d, %s; it was %v and %v, and the gateway was blind %v", c.track, c, served[c.track].live, served[c.track].status, m.blinds[c.gateway]))
		}
	}
	m.count(seen)
	m.states = last
	for _, n := range m.nodes() {
		for track, is := range last {
			if said := m.agrees(ctx, n, track, is); said != "" {
				wrong = append(wrong, said)
			}
		}
	}
	return wrong
}

// agrees wants a gateway, also one within a service, to answer what is on record, within the
// time that a change may take. It says what is wrong.
func (m *torment) agrees(ctx context.Context, n *node, track int, is state) string {
	want := http.StatusForbidden
	if is.status.Callable() {
		want = http.StatusOK
	}
	for deadline := time.Now().Add(propagation); ; {
		status, body := fetch(ctx, fmt.Sprintf("%s/track/%d", n.Gateway, track))
		if status == want && (status != http.StatusOK || versionIn(body) == is.live) {
			return ""
		}
		if time.Now().After(deadline) || !pause(ctx, 20*time.Millisecond) {
			return fmt.Sprintf("%s answers %d %s for track %d, which is %v", n.name, status, body, track, is)
		}
	}
}

func (m *torment) count(seen *traffic) {
	for _, history := range seen.operations {
		for _, o := range history {
			switch {
			case o.kind == kindRead:
				m.read++
			case o.outcome == acknowledged:
				m.acknowledged++
			case o.outcome == refused:
				m.refused++
			default:
				m.unknown++
			}
		}
	}
	m.calls += len(seen.calls)
	for _, c := range seen.calls {
		if c.status == 0 {
			m.unanswered++
		}
	}
	m.slow += seen.slow
}

// converge wants Terraform to make things as they are configured, and the plan to be empty
// then; and one of each.
func (m *torment) converge(ctx context.Context) (wrong []string) {
	m.applying.Lock()
	defer m.applying.Unlock()
	if applied := m.terraform.Apply(); applied.Code != 0 {
		return []string{"terraform apply fails: " + applied.Output}
	}
	if planned := m.terraform.Plan(); planned.Code != 0 {
		wrong = append(wrong, "terraform plan is not empty: "+planned.Output)
	}
	var n int
	if err := m.postgres.db.QueryRowContext(ctx, `SELECT count(*) FROM publications p JOIN apis a ON a.id = p.api_id WHERE a.name = 'terraform'`).Scan(&n); err != nil || n != 1 {
		wrong = append(wrong, fmt.Sprintf("there are %d publications of what Terraform made (%v)", n, err))
	}
	for _, node := range m.nodes() {
		status, body := fetch(ctx, node.Gateway+"/terraform")
		if want := fmt.Sprintf(`"n":%d}`, m.number); status != http.StatusOK || !strings.Contains(strings.ReplaceAll(body, " ", ""), want) {
			wrong = append(wrong, fmt.Sprintf("%s answers %d %s for what Terraform applied, want %s", node.name, status, body, want))
		}
	}
	return wrong
}
