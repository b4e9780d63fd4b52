// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// publishTimeout is how long the requests of a create or an update may take where the
// configuration does not say.
const publishTimeout = 5 * time.Minute

// adoption is the create of a thing of which the service has one record at most: what
// exists is taken over, be it what an earlier create made whose answer was lost, or a
// record that outlived what it was made for. T is the thing as the service answers it.
type adoption[T any] struct {
	// key names the thing among the creates of this process.
	key string
	// at is the attribute that is reported where two blocks describe the thing, what its
	// name in that sentence.
	at   path.Path
	what string
	// timeout bounds all requests.
	timeout time.Duration
	// find returns what exists; nil where nothing does.
	find func(context.Context) (*T, error)
	// converge leads from what exists to what is planned, and sets the state. An error
	// says that nothing came true that a state should know.
	converge func(ctx context.Context, there *T, memberID string) error
}

// adopt creates the thing, or takes over what exists.
func adopt[T any](ctx context.Context, b *backend, diags *diag.Diagnostics, schemaType attr.Type, summary string, a adoption[T]) {
	identity, err := b.whoAmI(ctx)
	if err != nil {
		addError(diags, nil, summary, err)
		return
	}
	release, ok := b.claim(a.key)
	if !ok {
		addDuplicate(diags, a.at, a.what)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	there, err := a.find(ctx)
	if err == nil {
		err = a.converge(ctx, there, identity.Member.ID)
	}
	if err != nil {
		release()
		addError(diags, schemaType, summary, err)
	}
}
