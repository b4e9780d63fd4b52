// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func TestATimeOfANoticeIsAWholeHour(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2030-01-01T08:00:00Z":      "",
		"2030-01-01T08:00:00+02:00": "",
		"tomorrow":                  `"tomorrow" is not a time: write a whole hour in UTC, such as 2030-01-31T08:00:00Z.`,
		"2030-01-01T00:30:00Z":      "2030-01-01T00:30:00Z is not a whole hour. Write 2030-01-01T00:00:00Z or 2030-01-01T01:00:00Z.",
		"2030-01-01T08:00:00+05:30": "2030-01-01T08:00:00+05:30 is 2030-01-01T02:30:00Z in UTC, which is not a whole hour. Write 2030-01-01T02:00:00Z or 2030-01-01T03:00:00Z.",
	} {
		var resp validator.StringResponse
		wholeHourValidator{}.ValidateString(t.Context(), validator.StringRequest{Path: path.Root("notice_time"), ConfigValue: types.StringValue(text)}, &resp)
		got := ""
		if resp.Diagnostics.HasError() {
			got = resp.Diagnostics[0].Detail()
		}
		if got != want {
			t.Errorf("of %s it says %q, want %q", text, got, want)
		}
	}
}
