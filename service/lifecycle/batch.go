// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Published is what became of one item of a batch: a publication, or why there is none.
type Published struct {
	Publication service.Publication
	Err         error
}

// PublishBatch publishes several APIs, each as [Service.Publish] does and in a transaction
// of its own: an item that is refused does not keep the others from being published.
// Source: dataarts-publishing-an-api, Related Operations.
func (s *Service) PublishBatch(ctx context.Context, c Caller, in service.PublishBatchInput) ([]Published, error) {
	if err := c.Member.Authorize(service.OpApply); err != nil {
		return nil, err
	}
	if err := in.Validate(); err != nil {
		return nil, err
	}
	done := make([]Published, len(in.Items))
	for i, item := range in.Items {
		done[i].Publication, done[i].Err = s.Publish(ctx, c.item(i), item)
	}
	return done, nil
}

// item is the caller with a key of its own for that item of a batch, so that a batch that
// is sent again goes on where it ended.
func (c Caller) item(i int) Caller {
	if c.IdempotencyKey == "" {
		return c
	}
	sum := sha256.Sum256([]byte(c.IdempotencyKey + "\n" + strconv.Itoa(i)))
	c.IdempotencyKey = "batch-" + hex.EncodeToString(sum[:])
	return c
}
