// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestAnEnvironmentsLimitIsSetByAdminsAloneAndHoldsAtOnce(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	ops := h.member(t, "ops", service.RoleOperator, false)
	limit := &service.RateLimit{Requests: 2, PeriodSeconds: 3600}
	_, err := h.CreateEnvironment(h.ctx, ops, service.EnvironmentInput{Name: "DEV", RateLimit: limit})
	wantCode(t, err, service.CodeForbidden, "ADMIN")
	no := false
	must(h.CreateEnvironment(h.ctx, h.admin, service.EnvironmentInput{Name: "DEV", ReviewRequired: &no}))(t)
	_, err = h.UpdateEnvironment(h.ctx, ops, "DEV", "", service.EnvironmentInput{Name: "DEV", ReviewRequired: &no, RateLimit: limit})
	wantCode(t, err, service.CodeForbidden, "ADMIN")
	_, err = h.UpdateEnvironment(h.ctx, h.admin, "DEV", "", service.EnvironmentInput{
		Name: "DEV", ReviewRequired: &no, RateLimit: &service.RateLimit{Requests: 0, PeriodSeconds: 86401},
	})
	wantCode(t, err, service.CodeInvalid, "")
	if fields := pointers(err); fields != "/rate_limit/requests /rate_limit/period_seconds" {
		t.Errorf("the error points at %s", fields)
	}

	api := h.api(t, h.admin, "orders")
	must(h.Publish(h.ctx, h.admin, service.PublishInput{APIID: api.ID, EnvironmentID: "DEV", Revision: 1}))(t)
	other := h.api(t, h.admin, "others")
	must(h.Publish(h.ctx, h.admin, service.PublishInput{APIID: other.ID, EnvironmentID: "DEV", Revision: 1}))(t)
	expect := func(when, path string, want int) {
		t.Helper()
		if status, body := h.callStage(path, "DEV"); status != want {
			t.Errorf("%s: %d %s", when, status, body)
		}
	}
	for range 5 {
		expect("without a limit", "/orders", http.StatusOK)
	}
	e := must(h.UpdateEnvironment(h.ctx, h.admin, "DEV", "", service.EnvironmentInput{Name: "DEV", ReviewRequired: &no, RateLimit: limit}))(t)
	if e.RateLimit == nil || *e.RateLimit != *limit {
		t.Errorf("the environment has the limit %v", e.RateLimit)
	}
	expect("the first call", "/orders", http.StatusOK)
	expect("the second, of another API", "/others", http.StatusOK)
	expect("the third", "/orders", http.StatusTooManyRequests)

	// An operator may change what is no policy.
	must(h.UpdateEnvironment(h.ctx, ops, "DEV", "", service.EnvironmentInput{Name: "TEST", ReviewRequired: &no, RateLimit: limit}))(t)
	if status, body := h.callStage("/orders", "TEST"); status != http.StatusTooManyRequests {
		t.Errorf("renamed: %d %s", status, body)
	}
	must(h.UpdateEnvironment(h.ctx, h.admin, "TEST", "", service.EnvironmentInput{Name: "TEST", ReviewRequired: &no}))(t)
	if status, body := h.callStage("/orders", "TEST"); status != http.StatusOK {
		t.Errorf("without a limit again: %d %s", status, body)
	}
}

// pointers are the fields that an error points at.
func pointers(err error) string {
	var list []string
	var e *service.Error
	if errors.As(err, &e) {
		for _, f := range e.Fields {
			list = append(list, f.Pointer)
		}
	}
	return strings.Join(list, " ")
}
