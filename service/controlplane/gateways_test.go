// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// With one process on SQLite the wait is over at once, and the gateway serves the change.
func TestWhoWaitsForGatewaysIsAnsweredWhenTheyServe(t *testing.T) {
	p := newPlane(t)
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { p.gateway.Follow(ctx) })
	defer work.Wait()
	defer cancel()
	_, api := p.define()
	var published service.Publication
	p.must(200, "rev", "POST", "/publications?wait=gateways", service.PublishInput{APIID: api.ID, Revision: 1}).decode(&published)
	p.must(200, "rev", "GET", "/publications/"+published.ID+"?wait=gateways", nil)
	p.must(422, "rev", "GET", "/publications/"+published.ID+"?wait=everybody", nil)
	began := time.Now()
	for _, action := range []string{"suspend", "restore", "unpublish"} {
		var got service.Publication
		p.must(200, "rev", "POST", "/publications/"+published.ID+"/"+action+"?wait=gateways", service.ActionInput{}).decode(&got)
		if len(got.LaggingGateways) > 0 || got.Note != "" {
			t.Errorf("after %s: %+v %q", action, got.LaggingGateways, got.Note)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("three waits took %s", took)
	}
	var batch service.List[service.PublishOutcome]
	p.must(200, "rev", "POST", "/publications/batch?wait=gateways", service.PublishBatchInput{Items: []service.PublishInput{{APIID: api.ID, Revision: 1}, {APIID: api.ID, Version: "V9"}}}).decode(&batch)
	if len(batch.Items) != 2 || batch.Items[0].Publication == nil || len(batch.Items[0].Publication.LaggingGateways) > 0 || batch.Items[1].Error == nil {
		t.Errorf("the batch is answered %+v", batch.Items)
	}
	p.must(422, "rev", "POST", "/publications/batch?wait=30s", service.PublishBatchInput{Items: []service.PublishInput{{APIID: api.ID, Revision: 1}}})
	p.must(422, "rev", "POST", "/publications?wait=30s", service.PublishInput{APIID: api.ID, Revision: 1})
}
