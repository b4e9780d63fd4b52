// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane_test

import (
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// TestReviewsAreListedByKind has applications of two kinds, and lists by every kind that there is.
func TestReviewsAreListedByKind(t *testing.T) {
	p := newPlane(t)
	a, _ := p.apply()
	var app service.App
	p.must(201, "dev", "POST", "/apps", service.AppInput{AppSpec: service.AppSpec{Name: "shop"}}).decode(&app)
	p.must(200, "dev", "POST", "/authorizations", service.AuthorizeInput{APIID: a.ID, AppID: app.ID})
	want := map[service.ReviewKind]int{service.ReviewPublish: 1, service.ReviewAuthorize: 1}
	for _, kind := range service.ReviewKinds {
		var list service.List[service.Review]
		p.must(200, "rev", "GET", "/reviews?status=PENDING&kind="+string(kind), nil).decode(&list)
		if len(list.Items) != want[kind] {
			t.Errorf("of the kind %s there are %d, want %d", kind, len(list.Items), want[kind])
		}
		for _, r := range list.Items {
			if r.Kind != kind {
				t.Errorf("among those of the kind %s is one of the kind %s", kind, r.Kind)
			}
		}
	}
}
