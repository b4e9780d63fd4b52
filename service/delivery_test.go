// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service_test

import (
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestDeliveriesAreTriedOverAboutADay(t *testing.T) {
	for _, jitter := range []float64{0, 0.5, 1} {
		var total, last time.Duration
		for attempt := 1; attempt < service.MaxDeliveryAttempts; attempt++ {
			delay := service.DeliveryDelay(attempt, jitter)
			if delay < last {
				t.Errorf("after attempt %d the wait is %s, less than the %s before", attempt, delay, last)
			}
			last = delay
			total += delay
		}
		if total < 16*time.Hour || total > 30*time.Hour {
			t.Errorf("with a jitter of %v the attempts span %s, want about a day", jitter, total)
		}
	}
	if first := service.DeliveryDelay(1, 0.5); first != 5*time.Second {
		t.Errorf("the first wait is %s, want 5s", first)
	}
}

func TestOnlyWhatIsDeadIsSentAgain(t *testing.T) {
	at := time.Now()
	for status, code := range map[service.DeliveryStatus]service.Code{
		service.DeliveryDead: "", service.DeliveryPending: service.CodeIllegalAction, service.DeliveryDelivered: service.CodeIllegalAction,
	} {
		if err := service.CheckRedeliver(service.Delivery{Status: status, NextAttemptAt: &at}); service.ErrorCode(err) != code {
			t.Errorf("%s: %v, want %q", status, err, code)
		}
	}
}
