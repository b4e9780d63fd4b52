// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Versions returns the history of a publication, newest first.
func (s *Service) Versions(ctx context.Context, c Caller, publicationID string) ([]service.Version, error) {
	var versions []service.Version
	err := s.Store.View(ctx, func(tx Tx) error {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return err
		}
		p, err := visiblePublication(ctx, tx, c, publicationID)
		if err != nil {
			return err
		}
		versions, err = tx.Versions(ctx, p.ID)
		return err
	})
	return versions, err
}

// VersionOf returns one version of a publication, by its name.
func (s *Service) VersionOf(ctx context.Context, c Caller, publicationID, name string) (service.Version, error) {
	var v service.Version
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return err
		}
		p, err := visiblePublication(ctx, tx, c, publicationID)
		if err != nil {
			return err
		}
		v, err = tx.Version(ctx, p.ID, name)
		return err
	})
	return v, err
}

// VersionByID returns a version by its id, and the publication that it is of.
func (s *Service) VersionByID(ctx context.Context, c Caller, id string) (v service.Version, p service.Publication, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return err
		}
		if v, err = tx.VersionByID(ctx, c.Workspace.ID, id); err != nil {
			return err
		}
		p, err = visiblePublication(ctx, tx, c, v.PublicationID)
		return orVersionMissing(err, id)
	})
	if err != nil {
		return service.Version{}, service.Publication{}, err
	}
	return v, s.present(p), nil
}

// orVersionMissing is err, but says of what is not to be seen that there is no such version.
func orVersionMissing(err error, id string) error {
	if service.ErrorCode(err) == service.CodeNotFound {
		return service.NotFound("version", id)
	}
	return err
}

// CompareVersions tells what is different between two versions of a publication, and what
// a switch from the one to the other takes from callers.
func (s *Service) CompareVersions(ctx context.Context, c Caller, publicationID, from, to string) (service.Comparison, error) {
	var found [2]service.Version
	err := s.Store.View(ctx, func(tx Tx) error {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return err
		}
		p, err := visiblePublication(ctx, tx, c, publicationID)
		if err != nil {
			return err
		}
		for i, name := range []string{from, to} {
			if found[i], err = tx.Version(ctx, p.ID, name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return service.Comparison{}, err
	}
	return service.Compare(found[0], found[1])
}

// findVersion resolves a version that is to be live again, under the name, with the
// definition and on the connection that it had.
func findVersion(ctx context.Context, tx Tx, c Caller, p service.Publication, in service.PublishInput) (cand candidate, err error) {
	v, err := tx.Version(ctx, p.ID, in.Version)
	if service.ErrorCode(err) == service.CodeNotFound {
		return cand, noSuchVersion(ctx, tx, p, in.Version)
	}
	if err != nil {
		return cand, err
	}
	cand.connection, err = connectionOf(ctx, tx, c, v.Definition)
	if service.ErrorCode(err) == service.CodeInvalid {
		var invalid service.Invalid
		invalid.Addf("/version", "The connection that %s of %q read from is deleted: publish its revision %d on another one, with api_revision and connection_id.", v.Name, p.APIName, v.Revision)
		return cand, invalid.Err("The request")
	}
	if err != nil {
		return cand, err
	}
	cand.application = again(v, service.VersionDigest(p.APIID, v, cand.connection), in.Remark)
	return cand, nil
}

// noSuchVersion says which versions there are.
func noSuchVersion(ctx context.Context, tx Tx, p service.Publication, name string) error {
	versions, err := tx.Versions(ctx, p.ID)
	if err != nil {
		return err
	}
	there := "it was never published there"
	if len(versions) > 0 {
		names := make([]string, len(versions))
		for i, v := range versions {
			names[i] = v.Name
		}
		there = "there are " + strings.Join(names, ", ")
	}
	var v service.Invalid
	v.Addf("/version", "%q has no version %q in %s: %s.", p.APIName, name, p.EnvironmentName, there)
	return v.Err("The request")
}

// again is the application to make a version live again.
func again(v service.Version, digest, remark string) application {
	return application{
		apiName: v.APIName, description: v.Description, revision: v.Revision, definition: v.Definition, connectionID: v.ConnectionID,
		digest: digest, remark: remark, version: &v,
	}
}

// makeLive makes a version of what is applied for, or takes the one that there is, and
// puts it live.
func (s *Service) makeLive(ctx context.Context, tx Tx, c Caller, p *service.Publication, a application, now time.Time, event map[string]any) error {
	if p.Live != nil {
		event["replaced_version"] = p.Live.Name
	}
	v := service.Version{
		ID: service.NewID(now), PublicationID: p.ID, Revision: a.revision, APIName: a.apiName, Description: a.description,
		ConnectionID: a.connectionID, Definition: a.definition, Remark: a.remark, CreatedBy: c.Member.Name, CreatedAt: now,
	}
	if a.version != nil {
		v = *a.version
	}
	v.Live, v.LiveSince, v.LiveBy = true, now, c.Member.Name
	put := func() error { return tx.CreateVersion(ctx, &v) }
	if a.version != nil {
		put = func() error { return tx.UpdateVersion(ctx, v) }
	}
	if err := put(); err != nil {
		return err
	}
	p.Live = &v
	event["version"], event["api_revision"] = v.Name, v.Revision
	return nil
}

// prune forgets the versions that are too many, in the transaction that put another one live.
func prune(ctx context.Context, tx Tx, p service.Publication, a application, event map[string]any) error {
	if a.version == nil && p.Live.Number <= service.MaxOldVersions+1 {
		return nil // There are not so many yet.
	}
	pruned, err := tx.PruneVersions(ctx, p.ID, service.MaxOldVersions)
	if len(pruned) > 0 {
		event["pruned_versions"] = pruned
	}
	return err
}
