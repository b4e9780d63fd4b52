// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import "testing"

func TestAScriptDeclaresItsParametersItself(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("script_parameters", s.developer)
	w.apply().succeeds(t, `parameters = "region other"`, `basic = "b a"`)
	w.plan().succeeds(t, "No changes")

	w.set(`modes=["MYBATIS"]`, `sql=SELECT id FROM orders <where><if test="least != null">id &gt; #{least}</if> AND region = #{region}</where>`)
	w.apply().succeeds(t, `parameters = "least region"`)

	for _, tt := range []struct{ name, sql, modes, says string }{
		{"a string that is not closed", "SELECT 'id", `["BASIC"]`, "The string is not closed: add '. (line 1, column 8)"},
		{"a mode that there is not", "SELECT 1", `["OGNL"]`, `"OGNL" is not a sql_mode: use BASIC or MYBATIS`},
		{"two modes", "SELECT 1", `["BASIC", "MYBATIS"]`, "A script has one sql_mode"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.set("sql="+tt.sql, "modes="+tt.modes).plan().fails(t, tt.says)
		})
	}
}
