// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Engine is the kind of database behind a connection.
type Engine string

// The engines that connections can use.
const (
	EngineSQLite     Engine = "SQLITE"
	EnginePostgreSQL Engine = "POSTGRESQL"
	// EngineMySQL is MySQL and MariaDB: which of both a server is it tells itself.
	EngineMySQL Engine = "MYSQL"
)

// Engines lists every engine.
var Engines = []Engine{EngineSQLite, EnginePostgreSQL, EngineMySQL}

// SSLMode is how a connection to a server uses TLS, with libpq's words.
type SSLMode string

// The TLS modes.
const (
	SSLDisable    SSLMode = "disable"
	SSLPrefer     SSLMode = "prefer"
	SSLRequire    SSLMode = "require"
	SSLVerifyFull SSLMode = "verify-full"
)

// SSLModes lists every TLS mode, from the one that protects least.
var SSLModes = []SSLMode{SSLDisable, SSLPrefer, SSLRequire, SSLVerifyFull}

// ConnectionSpec is what a user says about a connection, but for the password.
// Fields of other engines are empty.
type ConnectionSpec struct {
	Name        string `json:"name" doc:"4 to 50 letters, digits and underscores, starting with a letter; unique in the workspace."`
	Description string `json:"description,omitempty" doc:"At most 2000 characters."`
	Engine      Engine `json:"engine" enum:"SQLITE,POSTGRESQL,MYSQL" doc:"MYSQL is MySQL or MariaDB."`

	// File is a path below the service's --sqlite-dir.
	File string `json:"file,omitempty" doc:"SQLITE: the database file, a path relative to the service's --sqlite-dir."`

	Host     string  `json:"host,omitempty" doc:"POSTGRESQL, MYSQL: host name or IP address."`
	Port     int     `json:"port,omitempty" doc:"POSTGRESQL, MYSQL: TCP port; 5432 or 3306 where absent."`
	Database string  `json:"database,omitempty" doc:"POSTGRESQL, MYSQL: name of the database."`
	Username string  `json:"username,omitempty" doc:"POSTGRESQL, MYSQL: role or user to log in as."`
	SSLMode  SSLMode `json:"ssl_mode,omitempty" doc:"POSTGRESQL, MYSQL: disable, prefer (the default), require or verify-full."`
	// AllowSuperuser lets the connection use a role or user that is more than a reader, which is refused otherwise.
	AllowSuperuser bool `json:"allow_superuser,omitempty" doc:"POSTGRESQL, MYSQL: accept a role or user that is more than a reader, such as one with superuser or file rights, which is refused otherwise."`
}

// Connection is a data source that APIs read from.
type Connection struct {
	ID          string `json:"id"`
	Number      int64  `json:"number"`
	WorkspaceID string `json:"workspace_id"`
	ConnectionSpec
	// SecretVersion counts how often the password was set; 0 means that there is none.
	SecretVersion int64     `json:"secret_version"`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`

	// Password is stored encrypted and never answered.
	Password Secret `json:"-"`
	// RowVersion counts every change of the record; it makes the ETag.
	RowVersion int64 `json:"-"`
}

// defaultPorts has the port of each engine that is a server.
var defaultPorts = map[Engine]int{EnginePostgreSQL: 5432, EngineMySQL: 3306}

// WithDefaults fills in what a user may leave out.
func (c ConnectionSpec) WithDefaults() ConnectionSpec {
	if port, server := defaultPorts[c.Engine]; server {
		if c.Port == 0 {
			c.Port = port
		}
		if c.SSLMode == "" {
			c.SSLMode = SSLPrefer
		}
	}
	return c
}

// Validate checks the fields against each other. It does not connect.
func (c ConnectionSpec) Validate() error {
	var v Invalid
	checkName(&v, c.Name)
	checkMaxLength(&v, "/description", "description", c.Description, MaxDescriptionLength)
	switch c.Engine {
	case EngineSQLite:
		c.validateSQLite(&v)
	case EnginePostgreSQL, EngineMySQL:
		c.validateServer(&v)
	default:
		v.Addf("/engine", "%q is not an engine: use %s.", c.Engine, quoted(Engines))
	}
	return v.Err("The connection")
}

func (c ConnectionSpec) validateSQLite(v *Invalid) {
	switch {
	case c.File == "":
		v.Addf("/file", "A SQLITE connection needs the file of the database, relative to the service's --sqlite-dir.")
	case strings.ContainsRune(c.File, 0) || !filepath.IsLocal(c.File):
		v.Addf("/file", "%q does not lie below the service's --sqlite-dir: use a relative path without \"..\".", c.File)
	}
	for _, f := range []struct {
		pointer string
		set     bool
	}{
		{"/host", c.Host != ""},
		{"/port", c.Port != 0},
		{"/database", c.Database != ""},
		{"/username", c.Username != ""},
		{"/ssl_mode", c.SSLMode != ""},
		{"/allow_superuser", c.AllowSuperuser},
	} {
		if f.set {
			v.Addf(f.pointer, "A SQLITE connection has a file and nothing else: remove %s.", f.pointer[1:])
		}
	}
}

func (c ConnectionSpec) validateServer(v *Invalid) {
	if c.File != "" {
		v.Addf("/file", "A %s connection has no file: remove it.", c.Engine)
	}
	switch {
	case c.Host == "":
		v.Addf("/host", "A %s connection needs a host.", c.Engine)
	case strings.ContainsAny(c.Host, "/,@?# \x00") || strings.Contains(c.Host, ":") && net.ParseIP(c.Host) == nil:
		v.Addf("/host", "%q is not a host: use one host name or IP address, with the port in port.", c.Host)
	}
	if c.Port < 0 || c.Port > 65535 {
		v.Addf("/port", "%d is not a port: use 1 to 65535.", c.Port)
	}
	if c.Database == "" {
		v.Addf("/database", "A %s connection needs the name of the database.", c.Engine)
	}
	if c.Username == "" {
		v.Addf("/username", "A %s connection needs the role or user to log in as.", c.Engine)
	}
	if c.SSLMode != "" && !oneOf(c.SSLMode, SSLModes) {
		v.Addf("/ssl_mode", "%q is not a TLS mode: use %s.", c.SSLMode, quoted(SSLModes))
	}
}

// Exposes reports whether a password that was given for the connection before would
// go somewhere else, or be protected less on its way, with this one: whoever asks for
// that must know the password.
func (c ConnectionSpec) Exposes(before ConnectionSpec) bool {
	return c.Engine != before.Engine || c.Host != before.Host || c.Port != before.Port ||
		slices.Index(SSLModes, c.SSLMode) < slices.Index(SSLModes, before.SSLMode)
}

// SameSource reports whether both connections read the same database: a pending
// publish review freezes engine, file, host, port and database, while secrets, the
// role and the rest may change.
func (c ConnectionSpec) SameSource(o ConnectionSpec) bool {
	return c.Engine == o.Engine && c.File == o.File && c.Host == o.Host && c.Port == o.Port && c.Database == o.Database
}
