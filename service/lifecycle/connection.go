// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// withoutPassword is the input as it may be hashed and audited.
func withoutPassword(in service.ConnectionInput) service.ConnectionInput {
	in.Password = nil
	return in
}

// CreateConnection adds a connection that was seen to work. Developers and admins.
func (s *Service) CreateConnection(ctx context.Context, c Caller, in service.ConnectionInput) (service.Connection, error) {
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return service.Connection{}, err
	}
	in.ConnectionSpec = in.WithDefaults()
	now := s.now()
	conn := service.Connection{
		ID: service.NewID(now), WorkspaceID: c.Workspace.ID, ConnectionSpec: in.ConnectionSpec, CreatedAt: now, UpdatedAt: now, RowVersion: firstRowVersion,
	}
	if err := setPassword(&conn, in.Password); err != nil {
		return conn, err
	}
	prepare := func() error {
		if err := conn.Validate(); err != nil {
			return err
		}
		return s.Runner.Check(ctx, conn)
	}
	created, err := once(ctx, s, c, "connection.create", withoutPassword(in), prepare, func(tx Tx) (service.Connection, string, error) {
		if err := tx.CreateConnection(ctx, &conn); err != nil {
			return conn, "", err
		}
		return conn, conn.ID, s.record(ctx, tx, c, "connection.create", conn.ID, conn.Name, told(conn))
	})
	created.RowVersion = firstRowVersion
	return created, err
}

// ValidateConnection does everything that CreateConnection, or UpdateConnection of the
// connection with that reference, would do before it stores. A database that is not
// reached, or does not let the service in, may do so by then: that is a warning.
func (s *Service) ValidateConnection(ctx context.Context, c Caller, ref string, in service.ConnectionInput) (service.Validation, error) {
	found := service.Validation{Warnings: []service.FieldError{}}
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return found, err
	}
	in.ConnectionSpec = in.WithDefaults()
	if err := in.Validate(); err != nil {
		return found, err
	}
	conn := service.Connection{ID: service.NewID(s.now()), WorkspaceID: c.Workspace.ID, ConnectionSpec: in.ConnectionSpec}
	var err error
	if ref == "" {
		err = setPassword(&conn, in.Password)
	} else if conn, err = s.connectionAt(ctx, c, ref); err == nil {
		conn, err = s.replacement(conn, in)
	}
	if err != nil {
		return found, err
	}
	err = s.Runner.Check(ctx, conn)
	var e *service.Error
	if !errors.As(err, &e) || e.Code != service.CodeConnectionFailed || e.Cause == nil {
		return found, err
	}
	found.Warnings = e.Fields
	if len(e.Fields) == 0 {
		found.Warnings = []service.FieldError{{Message: e.Message}}
	}
	return found, nil
}

// setPassword takes over a password that was sent.
func setPassword(conn *service.Connection, password *string) error {
	if password == nil {
		return nil
	}
	if conn.Engine == service.EngineSQLite {
		var v service.Invalid
		v.Addf("/password", "A SQLITE connection has no password: remove it.")
		return v.Err("The connection")
	}
	conn.Password = service.Secret(*password)
	conn.SecretVersion++
	return nil
}

// UpdateConnection replaces a connection; the password stays where none is sent.
// While a publish review that reads from it is pending, its engine, host and
// database are frozen. ifMatch is an ETag, or "" for no check.
func (s *Service) UpdateConnection(ctx context.Context, c Caller, ref, ifMatch string, in service.ConnectionInput) (service.Connection, error) {
	var conn service.Connection
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return conn, err
	}
	in.ConnectionSpec = in.WithDefaults()
	if err := in.Validate(); err != nil {
		return conn, err
	}
	before, err := s.connectionAt(ctx, c, ref)
	if err != nil {
		return conn, err
	}
	if err := checkMatch(ifMatch, before.ETag(), "connection", before.Name); err != nil {
		return conn, err
	}
	if conn, err = s.replacement(before, in); err != nil {
		return conn, err
	}
	if err := s.Runner.Check(ctx, conn); err != nil {
		return conn, err
	}
	var updated service.Connection
	err = s.update(ctx, c, func(tx Tx) error {
		next := conn
		if !next.SameSource(before.ConnectionSpec) {
			if err := lockInstances(ctx, tx, c); err != nil {
				return err
			}
			if err := refuseFrozen(ctx, tx, c, before); err != nil {
				return err
			}
		}
		if err := tx.UpdateConnection(ctx, &next); err != nil {
			return err
		}
		if err := tx.Announce(ctx, Change{ChangeConnection, next.ID}); err != nil {
			return err
		}
		updated = next
		return s.record(ctx, tx, c, "connection.update", conn.ID, conn.Name, change{told(before), told(conn)})
	})
	if err != nil {
		return conn, staleOrConflict(err, ifMatch, "connection", before.Name)
	}
	return updated, nil
}

// connectionAt returns the connection with its password, as the store has it.
func (s *Service) connectionAt(ctx context.Context, c Caller, ref string) (service.Connection, error) {
	var conn service.Connection
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		conn, err = tx.Connection(ctx, c.Workspace.ID, ref)
		return err
	})
	return conn, err
}

// replacement is the connection as the input makes it. A stored password stays, but
// goes nowhere else.
func (s *Service) replacement(before service.Connection, in service.ConnectionInput) (service.Connection, error) {
	conn := before
	conn.ConnectionSpec, conn.UpdatedAt = in.ConnectionSpec, s.now()
	if err := setPassword(&conn, in.Password); err != nil {
		return conn, err
	}
	if in.Password == nil && before.Password != "" && conn.Exposes(before.ConnectionSpec) {
		if conn.Engine != service.EngineSQLite {
			var v service.Invalid
			v.Addf("/password", "The connection leads to another server now, or is protected less: send the password again. A stored one goes only where it was meant for.")
			return conn, v.Err("The connection")
		}
		conn.Password = ""
	}
	return conn, nil
}

// checkMatch compares an If-Match with the ETag of what there is.
func checkMatch(ifMatch, etag, kind, name string) error {
	if ifMatch == "" || ifMatch == "*" || ifMatch == etag {
		return nil
	}
	return service.Errorf(service.CodeStale, "The %s %q changed since you read it: read it again, and decide again.", kind, name)
}

// staleOrConflict answers a lost race as what it is to one who sent an If-Match.
func staleOrConflict(err error, ifMatch, kind, name string) error {
	if service.ErrorCode(err) == service.CodeConflict && ifMatch != "" {
		return checkMatch(ifMatch, "", kind, name)
	}
	return err
}

// refuseFrozen says which pending publish review keeps the connection as it is.
// Source: dataarts-publishing-an-api, Procedure, step 4.
func refuseFrozen(ctx context.Context, tx Tx, c Caller, conn service.Connection) error {
	publications, err := allPublications(ctx, tx, c, PublicationFilter{ConnectionID: conn.ID})
	if err != nil {
		return err
	}
	for _, p := range publications {
		if r := p.OpenReview; r != nil && r.Kind == service.ReviewPublish && r.ConnectionID == conn.ID {
			return service.Errorf(service.CodeConnectionFrozen,
				"The connection %q is frozen: %s applied to publish %s revision %d, which reads from it. Its engine, host and database can change once review %s is rejected or cancelled.",
				conn.Name, r.ApplicantName, r.APIName, r.Revision, r.ID)
		}
	}
	return nil
}

// maxHolders is how many holders of a thing are read at a time; a message names a few.
const maxHolders = 500

// DeleteConnection removes a connection that no API and no live version reads from.
func (s *Service) DeleteConnection(ctx context.Context, c Caller, ref, ifMatch string) error {
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return err
	}
	return s.update(ctx, c, func(tx Tx) error {
		if err := lockInstances(ctx, tx, c); err != nil {
			return err
		}
		conn, err := tx.Connection(ctx, c.Workspace.ID, ref)
		if err != nil {
			return err
		}
		if err := checkMatch(ifMatch, conn.ETag(), "connection", conn.Name); err != nil {
			return err
		}
		apis, err := tx.APIsUsingConnection(ctx, conn.ID)
		if err != nil {
			return err
		}
		if len(apis) > 0 {
			held := make([]string, len(apis))
			for i, a := range apis {
				held[i] = a.Name
			}
			return service.Errorf(service.CodeInUse, "The connection %q is used by the APIs %s. Point them to another connection, or delete them first.", conn.Name, few(held))
		}
		publications, err := allPublications(ctx, tx, c, PublicationFilter{ConnectionID: conn.ID})
		if err != nil {
			return err
		}
		if len(publications) > 0 {
			return service.Errorf(service.CodeInUse, "The connection %q is used by the publications %s. Unpublish them, or publish a version that reads from another connection.", conn.Name, names(publications))
		}
		if err := tx.DeleteConnection(ctx, c.Workspace.ID, conn.ID); err != nil {
			return err
		}
		if err := tx.Announce(ctx, Change{ChangeConnection, conn.ID}); err != nil {
			return err
		}
		if _, err := tx.VoidIdempotency(ctx, conn.ID, ""); err != nil {
			return err
		}
		return s.record(ctx, tx, c, "connection.delete", conn.ID, conn.Name, change{told(conn), nil})
	})
}

// few joins names for a sentence, at most five of them.
func few(held []string) string {
	const most = 5
	if len(held) <= most {
		return strings.Join(held, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(held[:most], ", "), len(held)-most)
}

// names lists publications for a sentence.
func names(publications []service.Publication) string {
	held := make([]string, len(publications))
	for i, p := range publications {
		held[i] = fmt.Sprintf("%s in %s (%s)", p.APIName, p.EnvironmentName, p.Status)
	}
	return few(held)
}

// Connection returns one connection, without its password.
func (s *Service) Connection(ctx context.Context, c Caller, ref string) (service.Connection, error) {
	var conn service.Connection
	err := s.read(ctx, c, func(tx Tx) (_ string, err error) {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return "", err
		}
		conn, err = tx.Connection(ctx, c.Workspace.ID, ref)
		return conn.ID, err
	})
	return conn, err
}

// Connections lists the workspace's connections, without their passwords.
func (s *Service) Connections(ctx context.Context, c Caller, page Page) (service.List[service.Connection], error) {
	var l service.List[service.Connection]
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return err
		}
		l, err = list(page, func(conn service.Connection) string { return conn.ID }, func(p Page) ([]service.Connection, error) {
			return tx.Connections(ctx, c.Workspace.ID, p)
		})
		return err
	})
	return l, err
}

// toldConnection is what the audit trail says of a connection. Its secret version is all
// that tells of a new password.
type toldConnection struct {
	service.ConnectionSpec
	SecretVersion int64 `json:"secret_version"`
}

func told(c service.Connection) toldConnection {
	return toldConnection{c.ConnectionSpec, c.SecretVersion}
}
