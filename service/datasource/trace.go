// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"path/filepath"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

// runTraced runs the call below a span of its own, which has the text of the statement with
// its bind markers. No value is in it.
func (p *Plan) runTraced(ctx context.Context, sh *shape, dst []byte, call Call) ([]byte, error) {
	system, database, host, port := p.source.place()
	ctx, span := tracing.Child(ctx, "SELECT "+database, trace.SpanKindClient)
	defer span.End()
	span.Set(
		attribute.String("db.system.name", system), attribute.String("db.namespace", database),
		attribute.String("db.operation.name", "SELECT"), attribute.String("db.query.text", sh.rows.text),
	)
	if host != "" {
		span.Set(attribute.String("server.address", host), attribute.Int("server.port", port))
	}
	if p.counts() {
		span.Set(attribute.String("dataservice.db.count.text", sh.count.text))
	}
	out, err := p.source.run(ctx, p, sh, dst, call)
	if err != nil {
		// Its kind alone: what the database says may quote values.
		kind := string(KindOf(err))
		span.Set(attribute.String("error.type", kind))
		span.Fail(kind)
	}
	return out, err
}

func (s *sqliteSource) place() (system, database, host string, port int) {
	return "sqlite", filepath.Base(s.file), "", 0
}

func (s *postgresSource) place() (system, database, host string, port int) {
	return "postgresql", s.connection.Database, s.connection.Host, s.connection.Port
}

func (s *mysqlSource) place() (system, database, host string, port int) {
	return "mysql", s.connection.Database, s.connection.Host, s.connection.Port
}
