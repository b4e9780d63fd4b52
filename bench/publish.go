// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// changes is the number of publishes, switches, suspensions and restorations together.
const changes = 1000

// publishUnderLoad changes what is published while others call an API that does not
// change, and measures how long after asking for it a published version is called.
func (b *bench) publishUnderLoad(ctx context.Context, name string) error {
	dsn, err := b.database(ctx, "sqlite")
	if err != nil {
		return err
	}
	o, err := b.startOurs(ctx, "publishes")
	if err != nil {
		return err
	}
	defer o.stop()
	connectionID, err := o.connection(ctx, "sqlite", dsn)
	if err != nil {
		return err
	}
	d := rowDefinition(connectionID)
	d.Path = "/bench/steady"
	if err := o.publish(ctx, "steady", d, map[string]string{"id": "1"}); err != nil {
		return err
	}
	loadContext, stop := context.WithCancel(ctx)
	defer stop()
	type result struct {
		load load
		err  error
	}
	calls := make(chan result, 1)
	go func() {
		l, err := pressure(loadContext, target{"dataservice", o.gateway, askRow(d.Path), o.server}, b.connections, time.Hour)
		calls <- result{l, err}
	}()
	started := time.Now()
	c := changer{ours: o, connectionID: connectionID}
	changed := make(chan error, 1)
	go func() { changed <- c.run(ctx) }()
	select {
	case err = <-changed:
	case r := <-calls:
		// A call failed, and with it the comparison.
		return r.err
	}
	took := time.Since(started)
	stop()
	r := <-calls
	if err != nil {
		return err
	}
	if r.err != nil {
		return r.err
	}
	slices.Sort(c.callable)
	l := load{latencies: c.callable}
	fmt.Printf("\n%s: %d publishes, switches, suspensions and restorations in %s under the load of %d connections\n", name, changes, took.Round(100*time.Millisecond), b.connections)
	fmt.Printf("  0 of %d calls of the API beside them failed (%.0f/s, p99 %s)\n", r.load.requests, r.load.perSecond(), r.load.quantile(0.99).Round(time.Microsecond))
	fmt.Printf("  from asking for a publication to its first answered call: p50 %s, p99 %s\n",
		l.quantile(0.5).Round(10*time.Microsecond), l.quantile(0.99).Round(10*time.Microsecond))
	return nil
}

// changer changes what is published, one thing after the other.
type changer struct {
	*ours
	connectionID string
	// callable has, per publish and switch, the time until the new version answered.
	callable []time.Duration
}

func (c *changer) run(ctx context.Context) error {
	for i := range changes / 4 {
		if err := c.story(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// story publishes an API, switches to a newer version, suspends and restores it, and
// looks each time whether callers meet what was just done.
func (c *changer) story(ctx context.Context, i int) error {
	d := service.Definition{
		Path: "/bench/change/" + strconv.Itoa(i), Method: service.MethodGet, AuthType: service.AuthNone, ConnectionID: c.connectionID,
		Script:             &service.Script{SQL: "SELECT 1 AS version"},
		ResponseParameters: map[string]service.ResponseParameter{"version": {Type: service.TypeInt}},
	}
	name := "change_" + strconv.Itoa(i)
	api, err := c.create(ctx, name, d, map[string]string{})
	if err != nil {
		return err
	}
	if _, err = c.publishAndCall(ctx, api, 1); err != nil {
		return err
	}
	d.Script = &service.Script{SQL: "SELECT 2 AS version"}
	d.RateLimit, d.CallerRateLimit = limit, limit
	if api, err = c.client.UpdateAPI(ctx, api.ID, service.APIInput{
		APISpec: service.APISpec{Name: name, Definition: d}, Debug: &service.DebugInput{Parameters: map[string]string{}},
	}); err != nil {
		return err
	}
	publication, err := c.publishAndCall(ctx, api, 2)
	if err != nil {
		return err
	}
	if _, err = c.client.Suspend(ctx, publication.ID, service.ActionInput{}); err != nil {
		return err
	}
	if status, _, err := c.call(ctx, d.Path); err != nil || status == http.StatusOK {
		return fmt.Errorf("the suspended %s answers %d, %w", name, status, err)
	}
	if _, err = c.client.Restore(ctx, publication.ID, service.ActionInput{}); err != nil {
		return err
	}
	if status, version, err := c.call(ctx, d.Path); err != nil || status != http.StatusOK || version != 2 {
		return fmt.Errorf("the restored %s answers %d with version %d, %w", name, status, version, err)
	}
	return nil
}

// publishAndCall publishes the revision and calls it until its version answers.
func (c *changer) publishAndCall(ctx context.Context, api service.API, version int) (service.Publication, error) {
	start := time.Now()
	publication, err := c.client.Publish(ctx, service.PublishInput{APIID: api.ID, Revision: api.Revision})
	if err != nil {
		return publication, err
	}
	for {
		status, answered, err := c.call(ctx, api.Definition.Path)
		if err != nil {
			return publication, err
		}
		if status == http.StatusOK && answered == version {
			c.callable = append(c.callable, time.Since(start))
			return publication, nil
		}
		if time.Since(start) > 10*time.Second {
			return publication, fmt.Errorf("%s answers %d with version %d, 10 s after version %d was published", api.Name, status, answered, version)
		}
	}
}

// call calls the API and returns the version that it answers.
func (c *changer) call(ctx context.Context, path string) (status, version int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.gateway+path, nil)
	if err != nil {
		return 0, 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	var answer struct {
		Data []struct {
			Version int `json:"version"`
		} `json:"data"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return 0, 0, fmt.Errorf("calling %s: %w", path, err)
	}
	if len(answer.Data) == 1 {
		version = answer.Data[0].Version
	}
	return resp.StatusCode, version, nil
}
