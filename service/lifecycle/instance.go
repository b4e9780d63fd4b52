// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// CreateInstance adds a gateway cluster with its environment RELEASE. Admins and operators.
func (s *Service) CreateInstance(ctx context.Context, c Caller, in service.InstanceInput) (service.Instance, error) {
	if err := c.Member.Authorize(service.OpCreateEnvironment); err != nil {
		return service.Instance{}, err
	}
	if err := in.Validate(); err != nil {
		return service.Instance{}, err
	}
	created, err := once(ctx, s, c, "instance.create", in, nil, func(tx Tx) (service.Instance, string, error) {
		now := s.now()
		i := service.Instance{
			ID: service.NewID(now), WorkspaceID: c.Workspace.ID, InstanceSpec: in.InstanceSpec,
			ReleaseEnvironmentID: service.NewID(now), CreatedAt: now, UpdatedAt: now, RowVersion: firstRowVersion,
		}
		if err := s.refuseHosts(ctx, tx, c, i); err != nil {
			return i, "", err
		}
		if err := addInstance(ctx, tx, &i); err != nil {
			return i, "", err
		}
		if err := tx.Announce(ctx, Change{ChangeInstance, i.ID}); err != nil {
			return i, "", err
		}
		return i, i.ID, s.record(ctx, tx, c, "instance.create", i.ID, i.Name, i.InstanceSpec)
	})
	created.RowVersion = firstRowVersion
	return created, err
}

// addInstance stores a new instance with its RELEASE.
func addInstance(ctx context.Context, tx Tx, i *service.Instance) error {
	if err := tx.CreateInstance(ctx, i); err != nil {
		return err
	}
	return tx.CreateEnvironment(ctx, service.Environment{
		ID: i.ReleaseEnvironmentID, WorkspaceID: i.WorkspaceID, InstanceID: i.ID, Name: service.ReleaseEnvironmentName,
		Policy: service.DefaultPolicy, CreatedAt: i.CreatedAt, UpdatedAt: i.UpdatedAt, RowVersion: firstRowVersion,
	})
}

// refuseHosts says which host name another instance has. Of one in another workspace it
// says no more than that there is one.
func (s *Service) refuseHosts(ctx context.Context, tx Tx, c Caller, i service.Instance) error {
	for n, host := range i.HostNames {
		holder, err := s.holderOf(ctx, tx, c, i, host)
		if err != nil {
			return err
		}
		if holder == "" {
			continue
		}
		return &service.Error{
			Code:    service.CodeAlreadyExists,
			Message: fmt.Sprintf("The host name %q belongs to %s already. Use another one, or take it away there first.", host, holder),
			Fields:  []service.FieldError{{Pointer: service.Pointer("host_names", strconv.Itoa(n)), Message: fmt.Sprintf("It belongs to %s already.", holder)}},
		}
	}
	return nil
}

// holderOf says in words what has the host name in place of the instance; "" where nothing
// does. The names that the gateway itself is called by are the first workspace's default
// instance's, whether that lists them or not: another one would take its calls.
func (s *Service) holderOf(ctx context.Context, tx Tx, c Caller, i service.Instance, host string) (string, error) {
	other, err := tx.InstanceOfHost(ctx, host)
	switch {
	case service.ErrorCode(err) == service.CodeNotFound:
		if s.ownHost(host) && !(c.Workspace.First() && i.Name == service.DefaultInstance) {
			return "the gateway itself", nil
		}
		return "", nil
	case err != nil || other.ID == i.ID:
		return "", err
	case other.WorkspaceID == c.Workspace.ID:
		return fmt.Sprintf("the instance %q", other.Name), nil
	}
	return "an instance elsewhere in the service", nil
}

// ownHost reports whether the gateway is called by that name for want of another one.
func (s *Service) ownHost(host string) bool {
	if host == "localhost" {
		return true
	}
	for _, base := range []string{s.GatewayURL, s.GatewayTLSURL} {
		if u, err := url.Parse(base); err == nil && strings.EqualFold(strings.TrimSuffix(u.Hostname(), "."), host) {
			return true
		}
	}
	return false
}

// UpdateInstance replaces name, description and host names of an instance. ifMatch is an
// ETag, or "" for no check. Admins and operators.
func (s *Service) UpdateInstance(ctx context.Context, c Caller, ref, ifMatch string, in service.InstanceInput) (service.Instance, error) {
	var none, updated service.Instance
	if err := c.Member.Authorize(service.OpCreateEnvironment); err != nil {
		return none, err
	}
	if err := in.Validate(); err != nil {
		return none, err
	}
	err := s.update(ctx, c, func(tx Tx) error {
		i, err := tx.Instance(ctx, c.Workspace.ID, ref)
		if err != nil {
			return err
		}
		if err := checkMatch(ifMatch, i.ETag(), "instance", i.Name); err != nil {
			return err
		}
		if i.Name == service.DefaultInstance && in.Name != i.Name {
			var v service.Invalid
			v.Addf("/name", "The instance %q exists from the start and keeps its name.", i.Name)
			return v.Err("The instance")
		}
		before := i.InstanceSpec
		i.InstanceSpec, i.UpdatedAt = in.InstanceSpec, s.now()
		if err := s.refuseHosts(ctx, tx, c, i); err != nil {
			return err
		}
		if err := tx.UpdateInstance(ctx, &i); err != nil {
			return staleOrConflict(err, ifMatch, "instance", before.Name)
		}
		if err := tx.Announce(ctx, Change{ChangeInstance, i.ID}); err != nil {
			return err
		}
		updated = i
		return s.record(ctx, tx, c, "instance.update", i.ID, i.Name, change{before, i.InstanceSpec})
	})
	if err != nil {
		return none, err
	}
	return updated, nil
}

// DeleteInstance removes an instance with its RELEASE, where that is its only environment
// and nothing is published there; "default" stays. ifMatch is an ETag, or "" for no check.
// Admins and operators.
func (s *Service) DeleteInstance(ctx context.Context, c Caller, ref, ifMatch string) error {
	if err := c.Member.Authorize(service.OpDeleteEnvironments); err != nil {
		return err
	}
	return s.update(ctx, c, func(tx Tx) error {
		i, err := tx.Instance(ctx, c.Workspace.ID, ref)
		if err != nil {
			return err
		}
		if err := tx.LockInstance(ctx, i.ID); err != nil {
			return err
		}
		if i, err = tx.Instance(ctx, c.Workspace.ID, i.ID); err != nil {
			return err
		}
		if err := checkMatch(ifMatch, i.ETag(), "instance", i.Name); err != nil {
			return err
		}
		if i.Name == service.DefaultInstance {
			return service.Errorf(service.CodeInUse, "The instance %q exists from the start and stays.", i.Name)
		}
		others, err := environmentsBeside(ctx, tx, i)
		if err != nil {
			return err
		}
		if len(others) > 0 {
			return service.Errorf(service.CodeInUse, "The instance %q still has the environments %s. Delete them first.", i.Name, few(others))
		}
		release, err := tx.Environment(ctx, c.Workspace.ID, i.ReleaseEnvironmentID)
		if err != nil {
			return err
		}
		if err := s.dropEnvironment(ctx, tx, c, release); err != nil {
			return err
		}
		if err := tx.DeleteInstance(ctx, c.Workspace.ID, i.ID); err != nil {
			return err
		}
		if _, err := tx.VoidIdempotency(ctx, i.ID, ""); err != nil {
			return err
		}
		if err := tx.Announce(ctx, Change{ChangeInstance, i.ID}); err != nil {
			return err
		}
		return s.record(ctx, tx, c, "instance.delete", i.ID, i.Name, i.InstanceSpec)
	})
}

// environmentsBeside names the environments of an instance that are not its RELEASE.
func environmentsBeside(ctx context.Context, tx Tx, i service.Instance) ([]string, error) {
	var others []string
	for page := (Page{Limit: maxHolders}); ; {
		environments, err := tx.Environments(ctx, i.WorkspaceID, page)
		if err != nil {
			return nil, err
		}
		for _, e := range environments {
			if e.InstanceID == i.ID && !e.Release() {
				others = append(others, e.Name)
			}
		}
		if len(environments) < page.Limit {
			return others, nil
		}
		page.After = environments[len(environments)-1].ID
	}
}

// Instance returns one gateway cluster.
func (s *Service) Instance(ctx context.Context, c Caller, ref string) (service.Instance, error) {
	var i service.Instance
	err := s.read(ctx, c, func(tx Tx) (_ string, err error) {
		i, err = tx.Instance(ctx, c.Workspace.ID, ref)
		return i.ID, err
	})
	return i, err
}

// InstanceAt is [Service.Instance] for a request that is about something at the instance,
// and not about the instance itself.
func (s *Service) InstanceAt(ctx context.Context, c Caller, ref string) (service.Instance, error) {
	var i service.Instance
	err := s.Store.Glance(ctx, func(tx Tx) (err error) {
		i, err = tx.Instance(ctx, c.Workspace.ID, ref)
		return err
	})
	return i, err
}

// Instances lists the workspace's gateway clusters.
func (s *Service) Instances(ctx context.Context, c Caller, page Page) (service.List[service.Instance], error) {
	var l service.List[service.Instance]
	err := s.Store.Glance(ctx, func(tx Tx) (err error) {
		l, err = list(page, func(i service.Instance) string { return i.ID }, func(p Page) ([]service.Instance, error) {
			return tx.Instances(ctx, c.Workspace.ID, p)
		})
		return err
	})
	return l, err
}
