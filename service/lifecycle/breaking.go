// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// checkBreaking compares a candidate with the publication's live version, callable or
// suspended, and refuses what the environment forbids.
func checkBreaking(p service.Publication, env service.Environment, candidate service.Definition) ([]service.BreakingChange, error) {
	if p.Live == nil {
		return nil, nil
	}
	changes := service.BreakingChanges(p.Live.Definition, candidate)
	return changes, env.CheckBreaking(*p.Live, p.APIName, changes)
}

// breakingChanges tells what a new definition of the API would take from the callers of
// every environment where it is live.
func breakingChanges(ctx context.Context, tx Tx, c Caller, api service.API, d service.Definition) ([]service.EnvironmentBreakingChange, error) {
	publications, err := allPublications(ctx, tx, c, PublicationFilter{APIID: api.ID})
	if err != nil {
		return nil, err
	}
	var found []service.EnvironmentBreakingChange
	for _, p := range publications {
		if p.Live == nil {
			continue
		}
		changes := service.BreakingChanges(p.Live.Definition, d)
		if len(changes) == 0 {
			continue
		}
		env, err := tx.Environment(ctx, c.Workspace.ID, p.EnvironmentID)
		if err != nil {
			return nil, err
		}
		for _, change := range changes {
			found = append(found, service.EnvironmentBreakingChange{
				EnvironmentID: env.ID, EnvironmentName: env.Name, Version: p.Live.Name,
				Forbidden: env.BreakingChanges == service.BreakingForbid, BreakingChange: change,
			})
		}
	}
	return found, nil
}
