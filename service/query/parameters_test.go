// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package query

import (
	"slices"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestAScriptTellsItsParameters(t *testing.T) {
	for _, tt := range []struct {
		name, sql string
		mode      service.SQLMode
		want      []string
		// says is a part of the error.
		says string
	}{
		{name: "none", sql: "SELECT 1", want: []string{}},
		{name: "nothing at all", sql: "", want: []string{}},
		{name: "in the order of their first use", sql: "SELECT * FROM t WHERE b = ${b} AND a IN (${a}) AND c = ${b} + ${_c1}", want: []string{"b", "a", "_c1"}},
		{name: "but for those in comments", sql: "SELECT 1 -- ${a}\n/* ${b} */ WHERE c = ${c}", want: []string{"c"}},
		{name: "of PostgreSQL", sql: "SELECT a::text, $tag$ it's $tag$ FROM t WHERE b = ${b}", want: []string{"b"}},
		{name: "of MySQL", sql: `SELECT 'it\'s' FROM t WHERE b = ${b}`, want: []string{"b"}},
		{name: "a placeholder in a string is none", sql: "SELECT '%${name}%'", says: "stands inside a string"},
		{name: "nor is one in a name", sql: "SELECT * FROM orders_${year}", says: "(line 1, column 22)"},
		{name: "a string that is not closed", sql: "SELECT\n  'a", says: "The string is not closed: add '. (line 2, column 3)"},
		{name: "a placeholder that is not closed", sql: "SELECT ${a", says: "A placeholder is written ${name}"},
		{name: "MyBatis in a basic script", sql: "SELECT #{a}", says: "set sql_mode to MYBATIS"},
		{name: "too much", sql: strings.Repeat(" ", service.MaxScriptLength+1), says: "is the most"},
		{name: "both placeholders of MyBatis", mode: service.SQLMyBatis, sql: "SELECT * FROM t WHERE a = #{a,jdbcType=VARCHAR} AND b = ${b} AND c = #{ a }", want: []string{"a", "b"}},
		{
			name: "tests, collections and binds", mode: service.SQLMyBatis,
			sql: `SELECT * FROM t <where>
				<bind name="pattern" value="'%' + name + '%'"/>
				<if test="region != null and size gt least"> region = #{region}</if>
				<choose><when test="kind.length() > 2">AND kind LIKE #{pattern}</when><otherwise>AND kind = #{fallback}</otherwise></choose>
				<foreach collection="ids" item="id" index="i" open="AND id IN (" separator="," close=")">#{id} + #{i} + #{shift}</foreach>
				<trim prefix="AND">id &lt; #{id}</trim></where>`,
			want: []string{"name", "region", "size", "least", "kind", "fallback", "ids", "shift", "id"},
		},
		{name: "the words of OGNL are no names", mode: service.SQLMyBatis, sql: `SELECT 1 <if test="a eq null or b neq 1">, #{a}</if>`, want: []string{"a", "b"}},
		{name: "a tag that is not closed", mode: service.SQLMyBatis, sql: `SELECT 1 <if test="a">`, says: "line 1"},
		{name: "a tag that there is not", mode: service.SQLMyBatis, sql: `SELECT 1 <set>a</set>`, says: "The tag <set> belongs to UPDATE"},
		{name: "a test that is none", mode: service.SQLMyBatis, sql: `SELECT 1 <if test="a ==">, 1</if>`, says: "The test of <if> cannot be evaluated"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ScriptParameters(tt.sql, tt.mode)
			if tt.says != "" {
				if service.ErrorCode(err) != service.CodeInvalid || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("got %q and the error %v, want one that says %q", got, err, tt.says)
				}
				return
			}
			if err != nil || !slices.Equal(got, tt.want) || got == nil {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

// TestWhatAScriptTellsIsWhatItNeeds compiles scripts with just the parameters that they tell.
func TestWhatAScriptTellsIsWhatItNeeds(t *testing.T) {
	for mode, sql := range map[service.SQLMode]string{
		service.SQLBasic:   "SELECT a FROM t WHERE b = ${b} OR a = ${a} OR b = ${b}",
		service.SQLMyBatis: `SELECT a FROM t <where><if test="c != null">b = #{b}</if> OR a = #{a}</where>`,
	} {
		names, err := ScriptParameters(sql, mode)
		if err != nil {
			t.Fatal(err)
		}
		d := service.Definition{Mode: service.ModeScript, Script: &service.Script{SQL: sql, SQLMode: mode}, RequestParameters: map[string]service.RequestParameter{}}
		for _, name := range names {
			d.RequestParameters[name] = service.RequestParameter{Type: service.TypeString}
		}
		if err := Check(d); err != nil {
			t.Errorf("%s: with %q it is refused: %v", mode, names, err)
		}
	}
}
