// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

type privateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

type keptState interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

type writablePrivateState interface {
	privateState
	keptState
}

// keptBytes is the private state as Terraform keeps it, by key.
type keptBytes map[string][]byte

// GetKey returns what is kept under the key.
func (k keptBytes) GetKey(_ context.Context, key string) ([]byte, diag.Diagnostics) {
	return k[key], nil
}

// SetKey keeps the value under the key.
func (k keptBytes) SetKey(_ context.Context, key string, value []byte) diag.Diagnostics {
	k[key] = value
	return nil
}

// bytes is the private state as it is written: nil where nothing is kept.
func (k keptBytes) bytes() []byte {
	if len(k) == 0 {
		return nil
	}
	data, err := json.Marshal(k)
	if err != nil {
		panic("provider: bytes by name are always JSON: " + err.Error())
	}
	return data
}

func setPrivate(ctx context.Context, private writablePrivateState, key string, value any) diag.Diagnostics {
	data, err := json.Marshal(value)
	if err != nil {
		panic("provider: private state is always JSON: " + err.Error())
	}
	return private.SetKey(ctx, key, data)
}

// getPrivate reads a value of the private state; the zero value where there is none.
func getPrivate[T any](ctx context.Context, private privateState, key string) (value T, diags diag.Diagnostics) {
	data, diags := private.GetKey(ctx, key)
	if len(data) > 0 && json.Unmarshal(data, &value) != nil {
		diags.AddWarning("Unreadable private state", "The provider cannot read "+key+" in the private state and goes on without it.")
	}
	return value, diags
}
