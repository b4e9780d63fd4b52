// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"cmp"
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// CreateEnvironment adds a stage to an instance. Admins and operators; a policy
// other than "review required" takes an admin.
func (s *Service) CreateEnvironment(ctx context.Context, c Caller, in service.EnvironmentInput) (service.Environment, error) {
	if err := c.Member.Authorize(service.OpCreateEnvironment); err != nil {
		return service.Environment{}, err
	}
	created, err := once(ctx, s, c, "environment.create", in, nil, func(tx Tx) (service.Environment, string, error) {
		ref := in.InstanceID
		if ref == "" {
			ref = service.DefaultInstance
		}
		instance, err := tx.Instance(ctx, c.Workspace.ID, ref)
		if err != nil {
			return service.Environment{}, "", err
		}
		now := s.now()
		e := service.Environment{
			ID: service.NewID(now), WorkspaceID: c.Workspace.ID, InstanceID: instance.ID, Name: in.Name,
			Description: in.Description, Policy: policy(in), CreatedAt: now, UpdatedAt: now, RowVersion: firstRowVersion,
		}
		if err := s.checkPolicyChange(c, service.DefaultPolicy, e.Policy); err != nil {
			return e, "", err
		}
		if err := e.Validate(); err != nil {
			return e, "", err
		}
		if err := tx.CreateEnvironment(ctx, e); err != nil {
			return e, "", err
		}
		return e, e.ID, s.record(ctx, tx, c, "environment.create", e.ID, e.Name, in)
	})
	created.RowVersion = firstRowVersion
	return created, err
}

// policy is what the input says, and the default of what it leaves out.
func policy(in service.EnvironmentInput) service.Policy {
	p := service.DefaultPolicy
	p.FourEyes, p.RateLimit = in.FourEyes, in.RateLimit
	if in.ReviewRequired != nil {
		p.ReviewRequired = *in.ReviewRequired
	}
	if in.NoticeHours != nil {
		p.NoticeHours = *in.NoticeHours
	}
	p.BreakingChanges = cmp.Or(in.BreakingChanges, p.BreakingChanges)
	return p
}

func (s *Service) checkPolicyChange(c Caller, before, after service.Policy) error {
	if before.Equal(after) {
		return nil
	}
	return c.Member.Authorize(service.OpAdminister)
}

// UpdateEnvironment changes name, description and, for admins, the policy. ifMatch is an
// ETag, or "" for no check.
func (s *Service) UpdateEnvironment(ctx context.Context, c Caller, ref, ifMatch string, in service.EnvironmentInput) (service.Environment, error) {
	var e service.Environment
	if err := c.Member.Authorize(service.OpCreateEnvironment); err != nil {
		return e, err
	}
	err := s.update(ctx, c, func(tx Tx) error {
		var err error
		if e, err = lockEnvironment(ctx, tx, c, ref); err != nil {
			return err
		}
		if err := checkMatch(ifMatch, e.ETag(), "environment", e.Name); err != nil {
			return err
		}
		before := e
		var v service.Invalid
		if in.InstanceID != "" && in.InstanceID != e.InstanceID {
			v.Addf("/instance_id", "An environment stays in its instance: this one is in %s.", e.InstanceID)
		}
		if e.Release() && in.Name != e.Name {
			v.Addf("/name", "The environment %s keeps its name.", e.Name)
		}
		if err := v.Err("The environment"); err != nil {
			return err
		}
		if err := s.checkPolicyChange(c, e.Policy, policy(in)); err != nil {
			return err
		}
		e.Name, e.Description, e.Policy, e.UpdatedAt = in.Name, in.Description, policy(in), s.now()
		if err := e.Validate(); err != nil {
			return err
		}
		if err := tx.UpdateEnvironment(ctx, &e); err != nil {
			return staleOrConflict(err, ifMatch, "environment", before.Name)
		}
		var changes []Change
		if e.Name != before.Name {
			// Callers find its publications under another X-Stage now.
			publications, err := allPublications(ctx, tx, c, PublicationFilter{EnvironmentID: e.ID})
			if err != nil {
				return err
			}
			for _, p := range publications {
				changes = append(changes, Change{ChangePublication, p.ID})
			}
		}
		if !e.Policy.Equal(before.Policy) {
			changes = append(changes, Change{ChangeEnvironment, e.ID})
		}
		if err := tx.Announce(ctx, changes...); err != nil {
			return err
		}
		return s.record(ctx, tx, c, "environment.update", e.ID, e.Name, change{before, e})
	})
	return e, err
}

// DeleteEnvironment removes a stage in which nothing is published. ifMatch is an ETag, or ""
// for no check.
func (s *Service) DeleteEnvironment(ctx context.Context, c Caller, ref, ifMatch string) error {
	if err := c.Member.Authorize(service.OpDeleteEnvironments); err != nil {
		return err
	}
	return s.update(ctx, c, func(tx Tx) error {
		e, err := lockEnvironment(ctx, tx, c, ref)
		if err != nil {
			return err
		}
		if err := checkMatch(ifMatch, e.ETag(), "environment", e.Name); err != nil {
			return err
		}
		if e.Release() {
			return service.Errorf(service.CodeInUse, "The environment %s exists from the start and stays as long as its instance.", e.Name)
		}
		return s.dropEnvironment(ctx, tx, c, e)
	})
}

// dropEnvironment removes an environment in which nothing is published. Its instance is locked.
func (s *Service) dropEnvironment(ctx context.Context, tx Tx, c Caller, e service.Environment) error {
	publications, err := s.dropIdle(ctx, tx, c, PublicationFilter{EnvironmentID: e.ID})
	if err != nil {
		return err
	}
	if len(publications) > 0 {
		return service.Errorf(service.CodeInUse, "The environment %s has publications: %s. Unpublish them first.", e.Name, names(publications))
	}
	if err := tx.DeleteEnvironment(ctx, c.Workspace.ID, e.ID); err != nil {
		return err
	}
	if _, err := tx.VoidIdempotency(ctx, e.ID, ""); err != nil {
		return err
	}
	return s.record(ctx, tx, c, "environment.delete", e.ID, e.Name, change{e, nil})
}

// Environment returns one environment.
func (s *Service) Environment(ctx context.Context, c Caller, ref string) (service.Environment, error) {
	var e service.Environment
	err := s.read(ctx, c, func(tx Tx) (_ string, err error) {
		e, err = tx.Environment(ctx, c.Workspace.ID, ref)
		return e.ID, err
	})
	return e, err
}

// EnvironmentAt is [Service.Environment] for a request that is about something in the
// environment, and not about the environment itself.
func (s *Service) EnvironmentAt(ctx context.Context, c Caller, ref string) (service.Environment, error) {
	var e service.Environment
	err := s.Store.Glance(ctx, func(tx Tx) (err error) {
		e, err = tx.Environment(ctx, c.Workspace.ID, ref)
		return err
	})
	return e, err
}

// EnvironmentRights says what the caller may do with the publications of an environment.
func (s *Service) EnvironmentRights(ctx context.Context, c Caller, ref string) (service.EnvironmentRights, error) {
	e, err := s.Environment(ctx, c, ref)
	if err != nil {
		return service.EnvironmentRights{}, err
	}
	return e.Rights(c.Member), nil
}

// knownEnvironment turns the id by which every workspace knows its RELEASE into the one that
// the records have.
func knownEnvironment(ctx context.Context, tx Tx, c Caller, id string) (string, error) {
	if id != service.ReleaseEnvironmentID || c.Workspace.First() {
		return id, nil
	}
	e, err := tx.Environment(ctx, c.Workspace.ID, id)
	return e.ID, err
}

// Environments lists the workspace's environments.
func (s *Service) Environments(ctx context.Context, c Caller, page Page) (service.List[service.Environment], error) {
	var l service.List[service.Environment]
	err := s.Store.Glance(ctx, func(tx Tx) (err error) {
		l, err = list(page, func(e service.Environment) string { return e.ID }, func(p Page) ([]service.Environment, error) {
			return tx.Environments(ctx, c.Workspace.ID, p)
		})
		return err
	})
	return l, err
}
