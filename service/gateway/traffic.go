// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"context"
	"slices"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

const (
	// tellsTrafficWithin bounds the one request a minute that tells the store of calls.
	tellsTrafficWithin = 10 * time.Second
	// mostTallies is of how many APIs it tells at the most: those that were called most.
	mostTallies = 5000
)

// tellTraffic tells the store what was counted in the minute that is over, so that any process
// can say what became of all calls. What the store does not take is dropped: calls wait for
// nothing of this, and the next minute is another one.
func (g *Gateway) tellTraffic(ctx context.Context, over []service.Tally) {
	dropped := 0
	if len(over) > mostTallies {
		slices.SortFunc(over, func(a, b service.Tally) int {
			return int(min(max(int64(b.Calls)-int64(a.Calls), -1), 1))
		})
		dropped = len(over) - mostTallies
		over = over[:mostTallies]
	}
	limited, cancel := context.WithTimeout(ctx, tellsTrafficWithin)
	defer cancel()
	err := g.store.Update(limited, func(tx lifecycle.Tx) error { return tx.PutTraffic(limited, g.self.ID, over) })
	if err != nil {
		dropped += len(over)
		if ctx.Err() == nil {
			g.logger.WarnContext(ctx, "the console will lack a minute of this gateway's calls: the store does not take it", "tallies", len(over), "error", err)
		}
	}
	g.trafficDropped.Add(uint64(dropped))
}
