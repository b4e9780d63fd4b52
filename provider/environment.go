// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// In every workspace one id stands for the environment RELEASE of its default instance,
// which has an id of its own in all workspaces but the first. What is written in a
// configuration stays as it is written, and is the same environment.

// releaseID is the own id of that environment, asking the service once.
func (b *backend) releaseID(ctx context.Context) (string, error) {
	b.mu.Lock()
	known := b.release
	b.mu.Unlock()
	if known != "" {
		return known, nil
	}
	release, err := b.client.Environment(ctx, service.ReleaseEnvironmentID)
	if err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.release = release.ID
	return release.ID, nil
}

// environmentAs returns the id of an environment as the state has it, where that is the
// same environment, and as the id that is written where nothing is otherwise.
func (b *backend) environmentAs(ctx context.Context, state types.String, id string) (string, error) {
	if id == service.ReleaseEnvironmentID || state.ValueString() == id {
		return id, nil
	}
	if written := state.ValueString(); written != "" && written != service.ReleaseEnvironmentID {
		return id, nil
	}
	release, err := b.releaseID(ctx)
	if err != nil || id != release {
		return id, err
	}
	return service.ReleaseEnvironmentID, nil
}

// sameEnvironment reports whether both are ids of one environment; what is unknown is
// none that is known.
func (b *backend) sameEnvironment(ctx context.Context, one, other types.String) (bool, error) {
	if one.Equal(other) || one.IsUnknown() || other.IsUnknown() {
		return one.Equal(other), nil
	}
	a, c := one.ValueString(), other.ValueString()
	if a != service.ReleaseEnvironmentID && c != service.ReleaseEnvironmentID || b == nil || b.client == nil {
		return false, nil
	}
	release, err := b.releaseID(ctx)
	return err == nil && (a == release || c == release), err
}
