// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// withOthers is a store that has other processes on it, or does not answer.
type withOthers struct {
	lifecycle.Store
	fails error
}

func (withOthers) Shared() bool { return true }

func (s withOthers) Glance(ctx context.Context, fn func(lifecycle.Tx) error) error {
	if s.fails != nil {
		return s.fails
	}
	return s.Store.Glance(ctx, fn)
}

func TestTheCallsOfAllGatewaysAreTold(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	self, _ := h.Router.Serving()
	at := time.Now().UTC().Truncate(time.Minute).Add(-time.Minute)
	p := service.Publication{ID: "p", APIID: "a", EnvironmentID: "e", InstanceID: "i"}
	tally := func(gateway string, minute int, calls uint64) []service.Tally {
		return []service.Tally{{GatewayID: gateway, APIID: "a", EnvironmentID: "e", Minute: service.Minute{At: at.Add(-time.Duration(minute) * time.Minute), Calls: calls}}}
	}
	own := []service.Minute{{At: at, Calls: 3}}
	if got := h.Traffic(h.ctx, p, own); got.Gateways != 1 || got.Silent != 0 || len(got.Minutes) != 1 {
		t.Errorf("alone it is told %+v", got)
	}
	err := h.store.Update(h.ctx, func(tx lifecycle.Tx) error {
		return errors.Join(
			tx.PutGateway(h.ctx, service.Gateway{ID: "second", Name: "second", StartedAt: at}),
			tx.PutGateway(h.ctx, service.Gateway{ID: "older", Name: "tells nothing", StartedAt: at}),
			tx.PutGateway(h.ctx, service.Gateway{ID: "idle", Name: "was not called", StartedAt: at}),
			tx.PutTraffic(h.ctx, self.ID, tally(self.ID, 0, 2)), // what it knows itself is newer
			tx.PutTraffic(h.ctx, "second", tally("second", 0, 10)),
			tx.PutTraffic(h.ctx, "idle", nil),
			tx.PutTraffic(h.ctx, "ended", tally("ended", 5, 100)),
			tx.PutTraffic(h.ctx, "ended", tally("ended", 90, 1000)),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Store = withOthers{h.store, nil}
	got := h.Traffic(h.ctx, p, own)
	if got.Gateways != 4 || got.Silent != 1 || got.Behind || len(got.Minutes) != 2 || got.Minutes[0].Calls != 100 || got.Minutes[1].Calls != 13 {
		t.Errorf("it is told %+v", got)
	}
	h.Store = withOthers{h.store, errors.New("away")}
	if got := h.Traffic(h.ctx, p, own); !got.Behind || got.Gateways != 1 || len(got.Minutes) != 1 {
		t.Errorf("while the store is away it is told %+v", got)
	}
}
