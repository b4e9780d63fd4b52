// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package query

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestScriptParametersAreTheNamesThatAScriptUses(t *testing.T) {
	for _, c := range []struct {
		name, sql string
		mode      service.SQLMode
		want      []string
		message   string
	}{
		{"a basic script", "SELECT ${b}, ${a} /* ${c} */ FROM t WHERE x IN (${a})", service.SQLBasic, []string{"a", "b"}, ""},
		{"without any", "SELECT 1", service.SQLBasic, nil, ""},
		{"the mode is basic where it is not said", "SELECT ${a}", "", []string{"a"}, ""},
		{"what one engine alone understands", "SELECT $q$ it's $q$, ${a}", service.SQLBasic, []string{"a"}, ""},
		{"a problem", "SELECT '${a}'", service.SQLBasic, nil, "stands inside a string"},
		{"MyBatis", `<bind name="p" value="q + '%'"/>SELECT #{p}, ${a} <if test="b gt 1 and b != null"><foreach collection="l" item="x" index="i"><if test="x == 1">#{x}</if>#{i}</foreach></if>`, service.SQLMyBatis, []string{"a", "b", "l", "q"}, ""},
		{"a problem of MyBatis", "SELECT <if>1</if>", service.SQLMyBatis, nil, "needs the attribute test"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ScriptParameters(c.sql, c.mode)
			if c.message != "" {
				if err == nil || !strings.Contains(err.Error(), c.message) {
					t.Errorf("got %v, want %q", err, c.message)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}
