// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package wire

import (
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// pageAtATime is how many items of a list are read at once.
const pageAtATime = 500

// All reads every page of a list, for vendors whose pages have numbers and a total.
func All[T any](read func(lifecycle.Page) (service.List[T], error)) ([]T, error) {
	items := []T{}
	next := lifecycle.Page{Limit: pageAtATime}
	for {
		l, err := read(next)
		if err != nil {
			return nil, err
		}
		items = append(items, l.Items...)
		if next.After = l.Next; l.Next == "" {
			return items, nil
		}
	}
}
