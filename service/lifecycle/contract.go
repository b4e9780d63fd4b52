// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"slices"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Contract returns what callers of an environment can rely on: all APIs of its catalog
// that the filter keeps.
func (s *Service) Contract(ctx context.Context, c Caller, filter CatalogFilter) (service.Contract, error) {
	var contract service.Contract
	err := s.Store.View(ctx, func(tx Tx) error {
		if err := c.Member.Authorize(service.OpReadCatalog); err != nil {
			return err
		}
		env, err := environmentOrRelease(ctx, tx, c, filter.Environment)
		if err != nil {
			return err
		}
		live, err := allPublications(ctx, tx, c, filter.callable(c, env))
		if err != nil {
			return err
		}
		contract, err = s.contract(ctx, tx, c, env, live...)
		return err
	})
	return contract, err
}

// PublicationContract returns what callers of one publication can rely on. One that is
// suspended is shown to those who may read drafts.
func (s *Service) PublicationContract(ctx context.Context, c Caller, id string) (service.Contract, error) {
	var contract service.Contract
	err := s.Store.View(ctx, func(tx Tx) error {
		if err := c.Member.Authorize(service.OpReadCatalog); err != nil {
			return err
		}
		p, err := tx.Publication(ctx, c.Workspace.ID, id)
		if err != nil {
			return err
		}
		switch drafts := c.Member.May(service.OpReadDrafts); {
		// Who may not read drafts learns nothing of what is not in the catalog.
		case !c.Member.MayChange(p.PrivateTo), !drafts && (p.Live == nil || !p.Status.Callable()):
			return service.NotFound("publication", id)
		case p.Live == nil:
			return service.Errorf(service.CodeNotFound, "Of %s in %s nothing is live that could be described: the publication is %s.", p.APIName, p.EnvironmentName, p.Status)
		}
		env, err := tx.Environment(ctx, c.Workspace.ID, p.EnvironmentID)
		if err != nil {
			return err
		}
		contract, err = s.contract(ctx, tx, c, env, p)
		return err
	})
	return contract, err
}

// DraftContract returns what callers of an API could rely on if its current revision were
// published. It has no environment and no address.
func (s *Service) DraftContract(ctx context.Context, c Caller, ref string) (service.Contract, error) {
	api, err := s.API(ctx, c, ref)
	if err != nil {
		return service.Contract{}, err
	}
	return service.Contract{Workspace: c.Workspace.Name, APIs: []service.PublishedAPI{{
		APIID: api.ID, Number: api.Number, Name: api.Name, Description: api.Description, Mode: api.Mode,
		Visibility: api.Visibility, GroupID: api.GroupID, FolderID: api.FolderID, ResourceGroup: api.ResourceGroup,
		Revision: api.Revision, OwnerName: api.OwnerName, Definition: api.Definition,
	}}}, nil
}

// contract is that of live publications of the environment.
func (s *Service) contract(ctx context.Context, tx Tx, c Caller, env service.Environment, live ...service.Publication) (service.Contract, error) {
	instance, err := tx.Instance(ctx, c.Workspace.ID, env.InstanceID)
	if err != nil {
		return service.Contract{}, err
	}
	contract := service.Contract{
		Workspace: c.Workspace.Name, Instance: instance.Name, Environment: env.Name,
		Addresses: s.addresses(c.Workspace, instance), APIs: make([]service.PublishedAPI, 0, len(live)),
	}
	known := numbers{}
	for _, p := range live {
		api, err := tx.API(ctx, c.Workspace.ID, p.APIID)
		if err != nil {
			return service.Contract{}, err
		}
		shown, err := s.published(ctx, tx, api, p, known)
		if err != nil {
			return service.Contract{}, err
		}
		contract.APIs = append(contract.APIs, shown)
	}
	return contract, nil
}

// addresses are those at which the gateway serves the instance, in the order in which
// [Service.urlOf] chooses among them.
func (s *Service) addresses(w service.Workspace, i service.Instance) []string {
	var addresses []string
	for _, base := range []string{s.GatewayURL, s.GatewayTLSURL} {
		if base == "" {
			continue
		}
		for _, host := range i.HostNames {
			addresses = append(addresses, atHost(base, host))
		}
		if anyHost(w, i) && !slices.Contains(addresses, base) {
			addresses = append(addresses, base)
		}
	}
	return addresses
}
