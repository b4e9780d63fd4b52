// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// turnsOfFaces is how often each side makes its calls.
const turnsOfFaces = 300

// request is a call of the control plane.
type request struct{ method, path, body string }

// compareFaces compares the calls that the vendors document with those of the native API
// that do the same to the same publication, in turns: what a face costs beside what it
// stands before. All of them write to the store, which they wait for.
func (b *bench) compareFaces(ctx context.Context, name string) error {
	dsn, err := b.database(ctx, "sqlite")
	if err != nil {
		return err
	}
	o, err := b.startOurs(ctx, "faces")
	if err != nil {
		return err
	}
	defer o.stop()
	connectionID, err := o.connection(ctx, "sqlite", dsn)
	if err != nil {
		return err
	}
	d := rowDefinition(connectionID)
	d.Path = "/bench/face"
	if err := o.publish(ctx, "face", d, map[string]string{"id": "1"}); err != nil {
		return err
	}
	published, err := o.client.Publications(ctx, client.PublicationFilter{}, client.Page{})
	if err != nil {
		return err
	}
	p := published.Items[0]
	const native = "/api/v1/workspaces/" + service.DefaultWorkspace + "/publications"
	action := "/v1/default/service/apis/" + p.APIID + "/instances/default/action"
	gateway := "/v2/default/apigw/instances/default/apis/action"
	apig := func(action string) request {
		return request{http.MethodPost, gateway, fmt.Sprintf(`{"action":%q,"env_id":%q,"api_id":%q}`, action, service.ReleaseEnvironmentID, p.APIID)}
	}
	for _, c := range []struct {
		name           string
		vendor, native []request
	}{
		{
			name + "-dataarts",
			[]request{{http.MethodPost, action, `{"action":"STOP"}`}, {http.MethodPost, action, `{"action":"RECOVER"}`}},
			[]request{{http.MethodPost, native + "/" + p.ID + "/suspend", `{}`}, {http.MethodPost, native + "/" + p.ID + "/restore", `{}`}},
		},
		{
			name + "-apig",
			[]request{apig("offline"), apig("online")},
			[]request{
				{http.MethodPost, native + "/" + p.ID + "/unpublish", `{}`},
				{http.MethodPost, native, fmt.Sprintf(`{"api_id":%q,"api_revision":%d}`, p.APIID, p.Live.Revision)},
			},
		},
	} {
		if err := o.takeTurns(ctx, c.name, c.vendor, c.native); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// side is one of two that take turns.
type side struct {
	requests []request
	took     []time.Duration
	cpu      time.Duration
}

// takeTurns makes the vendor's calls and the native ones, and prints how long they take.
func (o *ours) takeTurns(ctx context.Context, name string, vendor, native []request) error {
	sides := []*side{{requests: vendor}, {requests: native}}
	order := slices.Clone(sides)
	for range turnsOfFaces {
		for _, s := range order {
			before, _ := o.cpu()
			start := time.Now()
			for _, r := range s.requests {
				if err := o.make(ctx, r); err != nil {
					return err
				}
			}
			s.took = append(s.took, time.Since(start))
			after, _ := o.cpu()
			s.cpu += after - before
		}
		slices.Reverse(order)
	}
	fmt.Printf("\n%s: %d turns of %d calls each\n", name, turnsOfFaces, len(vendor))
	for i, who := range []string{"the vendor's calls", "the native ones"} {
		fmt.Printf("  %-22s %10s a call, server CPU %s a call\n", who, (median(sides[i].took) / time.Duration(len(vendor))).Round(time.Microsecond),
			(sides[i].cpu / time.Duration(turnsOfFaces*len(vendor))).Round(time.Microsecond))
	}
	ratios := make([]float64, turnsOfFaces)
	for i := range ratios {
		ratios[i] = float64(sides[1].took[i]) / float64(sides[0].took[i])
	}
	fmt.Printf("RATIO %s %.2f\n", name, median(ratios))
	return nil
}

// make makes one call, which must succeed.
func (o *ours) make(ctx context.Context, r request) error {
	req, err := http.NewRequestWithContext(ctx, r.method, o.client.Endpoint()+r.path, bytes.NewReader([]byte(r.body)))
	if err != nil {
		return err
	}
	req.Header.Set("X-Auth-Token", o.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s answers %s: %s", r.method, r.path, resp.Status, body)
	}
	return err
}
