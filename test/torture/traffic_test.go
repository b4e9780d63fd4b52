// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package torture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// clientsEach is how many clients work on each publication.
const clientsEach = 2

// traffic is what clients and callers saw in one round.
type traffic struct {
	mu         sync.Mutex
	operations [tracks][]operation
	calls      []call
	// slow counts operations and calls that took longer than half a second.
	slow int
}

func (tr *traffic) operated(o operation) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.operations[o.track] = append(tr.operations[o.track], o)
	if o.returned != forever && o.returned-o.called > time.Second/2 {
		tr.slow++
	}
}

func (tr *traffic) called(c call) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.calls = append(tr.calls, c)
	if c.ended-c.began > time.Second/2 {
		tr.slow++
	}
}

// drive lets clients and callers work until ctx ends, and each finish what it is at.
func (w *world) drive(ctx context.Context, round int, seed uint64) *traffic {
	tr := &traffic{}
	var working sync.WaitGroup
	for track := range tracks {
		for c := range clientsEach {
			id := track*clientsEach + c
			random := rand.New(rand.NewPCG(seed, uint64(id)))
			working.Go(func() {
				for n := 0; pause(ctx, time.Duration(20+random.IntN(80))*time.Millisecond); n++ {
					tr.operated(w.operate(random, track, id, fmt.Sprintf("r%d-c%d-%d", round, id, n)))
				}
			})
		}
	}
	for i := range w.gateways {
		random := rand.New(rand.NewPCG(seed, uint64(1000+i)))
		working.Go(func() {
			for pause(ctx, time.Duration(5+random.IntN(15))*time.Millisecond) {
				tr.called(w.call(i, random.IntN(tracks)))
			}
		})
	}
	working.Wait()
	return tr
}

// operate makes one operation, at any of the services. What nobody knows the end of is
// often asked for once more at another one, with the same key.
func (w *world) operate(random *rand.Rand, track, id int, remark string) operation {
	o := operation{track: track, client: id, remark: remark, kind: []kind{kindSwitch, kindSwitch, kindSuspend, kindRestore, kindRestore, kindRead}[random.IntN(6)]}
	if o.kind == kindSwitch {
		o.version = []string{"V1", "V2"}[random.IntN(2)]
	}
	await := random.IntN(2) == 0
	o.called = w.now()
	for range 1 + random.IntN(2) {
		w.attempt(&o, w.clients[random.IntN(len(w.clients))], await)
		if o.outcome != unknown {
			break
		}
	}
	if o.returned = w.now(); o.outcome == unknown {
		o.returned = forever
	}
	return o
}

// attempt asks one service for the operation.
func (w *world) attempt(o *operation, c *client.Client, await bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.t.Context()), 15*time.Second)
	defer cancel()
	options := []client.Option{client.IdempotencyKey(o.remark)}
	if await {
		options = append(options, client.AwaitGateways())
	}
	var (
		p   service.Publication
		err error
		on  = w.publications[o.track]
		in  = service.ActionInput{Remark: o.remark}
	)
	switch o.kind {
	case kindSwitch:
		p, err = c.Publish(ctx, service.PublishInput{APIID: on.APIID, Version: o.version, Remark: o.remark}, options...)
	case kindSuspend:
		p, err = c.Suspend(ctx, on.ID, in, options...)
	case kindRestore:
		p, err = c.Restore(ctx, on.ID, in, options...)
	case kindRead:
		p, err = c.Publication(ctx, on.ID, 0)
	}
	var failed *client.Error
	switch {
	case err == nil:
		o.outcome, o.code, o.everywhere = acknowledged, "", await && len(p.LaggingGateways) == 0 && p.Note == ""
		o.seen = seen(p)
	case errors.As(err, &failed) && failed.Problem != nil && failed.Status < http.StatusInternalServerError:
		o.outcome, o.code = refused, service.ErrorCode(err)
	default:
		o.outcome = unknown
	}
}

func seen(p service.Publication) state {
	s := state{status: p.Status}
	if p.Live != nil {
		s.live = p.Live.Name
	}
	return s
}

// call calls a published API.
func (w *world) call(gateway, track int) call {
	c := call{gateway: gateway, track: track, began: w.now()}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.t.Context()), 2*time.Second)
	defer cancel()
	var body string
	c.status, body = fetch(ctx, fmt.Sprintf("http://%s/track/%d", w.gateways[gateway].front.Listen, track))
	c.ended = w.now()
	if c.status == http.StatusOK {
		c.live = versionIn(body)
	}
	return c
}

// versionIn is the version that an answer comes from.
func versionIn(body string) string {
	var answer struct {
		Data []struct{ Version string } `json:"data"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer.Data) != 1 {
		return "unreadable: " + body
	}
	return answer.Data[0].Version
}

// fetch gets what is at an address; status 0 where there is no whole answer.
func fetch(ctx context.Context, url string) (status int, body string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err.Error()
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(data)
}

// pause waits, and reports false where ctx ends before.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// newTerraform makes the configuration that Terraform applies: each round has other numbers.
func (w *world) newTerraform() *servicetest.Workdir {
	d := w.controls[0].Workdir(w.token)
	d.Write("main.tf", fmt.Sprintf(`
variable "number" { type = number }

resource "dataservice_api" "it" {
  name                = "terraform"
  path                = "/terraform"
  method              = "GET"
  auth_type           = "NONE"
  connection_id       = %q
  script              = { sql = "SELECT ${var.number} AS n FROM numbers" }
  response_parameters = { n = { type = "INT" } }
}

resource "dataservice_publication" "it" {
  api_id       = dataservice_api.it.id
  api_revision = dataservice_api.it.revision
}
`, w.connection.ID))
	return d
}
