// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package wire_test

import (
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

func TestTimesAreWrittenAsEachVendorWritesThem(t *testing.T) {
	// The same moment, as a clock in Shanghai shows it.
	at := time.Date(2020, 8, 3, 9, 36, 0, 7_500_000, time.FixedZone("CST", 8*60*60))
	for name, test := range map[string]struct{ got, want any }{
		"DataArts DataService": {wire.Millis(at), int64(1_596_418_560_007)},
		"API Gateway":          {wire.Zulu(at), "2020-08-03T01:36:00Z"},
		"DataWorks":            {wire.Offset(at), "2020-08-03T01:36:00+0000"},
	} {
		if test.got != test.want {
			t.Errorf("%s: %v, want %v", name, test.got, test.want)
		}
	}
	if got := wire.MillisOf(&at); got == nil || *got != wire.Millis(at) {
		t.Errorf("a time that is there: %v", got)
	}
	if got := wire.MillisOf(nil); got != nil {
		t.Errorf("a time that is absent: %d", *got)
	}
}
