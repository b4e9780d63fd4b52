// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Traffic returns what became of the calls of a publication in the last hour. own is what the
// gateway of this process knows of it; where the store has other processes too, it tells what
// their gateways have told, once a minute. The caller is shown the publication already.
func (s *Service) Traffic(ctx context.Context, p service.Publication, own []service.Minute) service.Traffic {
	found := service.Traffic{Minutes: own, Gateways: 1}
	if !s.Store.Shared() {
		return found
	}
	self, _ := s.Router.Serving()
	since := s.now().Truncate(time.Minute).Add(-(service.TrafficMinutes - 1) * time.Minute)
	var tallies []service.Tally
	var known []service.Gateway
	err := s.Store.Glance(ctx, func(tx Tx) (err error) {
		if tallies, err = tx.Traffic(ctx, p.APIID, p.EnvironmentID, since); err != nil {
			return err
		}
		known, err = tx.Gateways(ctx)
		return err
	})
	if err != nil {
		s.Logger.WarnContext(ctx, "the store does not tell of other gateways' calls", "publication", p.ID, "error", err)
		found.Behind = true
		return found
	}
	told := map[string]bool{self.ID: true}
	all := append([]service.Minute{}, own...)
	for _, m := range tallies {
		if m.GatewayID != self.ID {
			told[m.GatewayID] = true
			all = append(all, m.Minute)
		}
	}
	for _, g := range known {
		switch {
		case g.ID == self.ID || !g.Serves(p.InstanceID):
		case g.TrafficAt != nil:
			told[g.ID] = true
		case !g.Dead():
			found.Silent++
		}
	}
	found.Minutes, found.Gateways = service.MergeMinutes(all), len(told)
	return found
}
