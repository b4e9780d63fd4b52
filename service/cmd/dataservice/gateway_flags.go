// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"crypto/tls"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
)

// maxShutdownDelay bounds --shutdown-delay.
const maxShutdownDelay = 5 * time.Minute

// gatewayFlags configure the gateway of a process, whatever else that does.
type gatewayFlags struct {
	Config string `help:"YAML file with settings: each flag of serve and gateway can stand there, without its dashes. Flags and variables win over it." env:"DATASERVICE_CONFIG" placeholder:"FILE"`

	StoreFile string `name:"store-file" help:"File with the URL of --store, for one that holds a password; instead of --store." env:"DATASERVICE_STORE_FILE" placeholder:"FILE"`

	DataDir         string `help:"Directory for what the process keeps: the encryption key, and of a service with SQLite the store and of every service the admin token; made where it is missing." default:"./dataservice-data" env:"DATASERVICE_DATA_DIR"`
	EncryptionKey   string `name:"encryption-key-file" help:"File with the key that the secrets in the store are encrypted with, 64 hex digits, for processes that share a store; while a key is replaced, the old and the new one, each on a line. DATA_DIR/encryption.key where absent, which the first start makes." env:"DATASERVICE_ENCRYPTION_KEY_FILE" reload:"content" placeholder:"FILE"`
	GatewayListen   string `help:"Address of the gateway, where published APIs are called." default:"127.0.0.1:8081" env:"DATASERVICE_GATEWAY_LISTEN"`
	SQLiteDir       string `name:"sqlite-dir" help:"Directory that SQLite connections may open files in; DATA_DIR/databases where absent." env:"DATASERVICE_SQLITE_DIR" placeholder:"DIR"`
	SQLiteMmapBytes int64  `name:"sqlite-mmap-bytes" help:"How much of each SQLite file is read through memory that it is mapped to, in bytes; worth it for files that are larger than 8 MB. 0 maps nothing." default:"0" env:"DATASERVICE_SQLITE_MMAP_BYTES"`
	// AllowBackendCIDR is read into backendRanges.
	AllowBackendCIDR []string `name:"allow-backend-cidr" help:"Range of addresses that backends of registered APIs, and webhooks of apps, may have besides those of the public internet, such as 10.0.0.0/8 or 127.0.0.1; several with commas." env:"DATASERVICE_ALLOW_BACKEND_CIDR" placeholder:"CIDR"`
	// AllowConnectionCIDR is read into connectionRanges.
	AllowConnectionCIDR []string `name:"allow-connection-cidr" help:"Range of addresses, such as 10.0.0.0/8, that PostgreSQL and MySQL connections may lead to; several with commas. All but link-local, metadata and multicast addresses where absent." env:"DATASERVICE_ALLOW_CONNECTION_CIDR" placeholder:"CIDR"`
	InsecureHTTP        bool     `name:"insecure-http" help:"Permit plain HTTP on addresses other than loopback, for all listeners." env:"DATASERVICE_INSECURE_HTTP"`

	GatewayTLSListen  string   `name:"gateway-tls-listen" help:"Address of the gateway for calls over HTTPS; used where --gateway-tls-cert and --gateway-tls-key are given." default:"127.0.0.1:8443" env:"DATASERVICE_GATEWAY_TLS_LISTEN"`
	GatewayTLSCert    string   `name:"gateway-tls-cert" help:"PEM file with the gateway's certificate and its chain." env:"DATASERVICE_GATEWAY_TLS_CERT" reload:"value" placeholder:"FILE"`
	GatewayTLSKey     string   `name:"gateway-tls-key" help:"PEM file with the private key of the gateway's certificate." env:"DATASERVICE_GATEWAY_TLS_KEY" reload:"value" placeholder:"FILE"`
	TrustedProxy      []string `help:"Networks, such as 10.0.0.0/8, of proxies in front of the gateway: their X-Forwarded-Proto and X-Forwarded-For are believed." env:"DATASERVICE_TRUSTED_PROXY" placeholder:"CIDR"`
	GatewayMaxCalls   int      `help:"The most calls that the gateway answers at once; others are told Throttling.System. 0 sets no bound." default:"10000" env:"DATASERVICE_GATEWAY_MAX_CALLS" reload:"value"`
	GatewayMaxConns   int      `name:"gateway-max-connections" help:"The most connections of callers to the gateway, on both of its addresses together. Beyond, the one that is idle for longest is closed, or a new one refused where none is idle." default:"12000" env:"DATASERVICE_GATEWAY_MAX_CONNECTIONS" reload:"value"`
	GatewayCacheBytes int64    `help:"The most memory that cached answers take, in bytes. 0 caches nothing." default:"67108864" env:"DATASERVICE_GATEWAY_CACHE_BYTES"`
	MetricsListen     string   `help:"Address at which metrics can be scraped, at the path /metrics, without a token; such as 127.0.0.1:9464. Absent: nowhere." env:"DATASERVICE_METRICS_LISTEN" placeholder:"HOST:PORT"`

	ShutdownDelay time.Duration `help:"How long new calls are still answered after SIGTERM, while /readyz says 503 already: behind a balancer, longer than that takes to notice. 0s where there is none." default:"0s" env:"DATASERVICE_SHUTDOWN_DELAY" reload:"value" placeholder:"DURATION"`

	observeFlags

	LogLevel string `help:"What is logged: debug, info, warn or error." default:"info" enum:"debug,info,warn,error" env:"DATASERVICE_LOG_LEVEL" reload:"value"`

	level                                        slog.Level
	backendRanges, connectionRanges, proxyRanges []netip.Prefix
	// gatewayCertificate is nil for none.
	gatewayCertificate *tls.Certificate
}

// check finds what cannot work before anything is touched, and reads what the flags name.
func (f *gatewayFlags) check() (found findings) {
	found.fault("log-level", f.level.UnmarshalText([]byte(f.LogLevel)))
	if f.DataDir == "" {
		found.fault("data-dir", failed(nil, "--data-dir is empty: name a directory."))
	}
	for _, r := range []struct {
		flag   string
		texts  []string
		ranges *[]netip.Prefix
	}{
		{"allow-backend-cidr", f.AllowBackendCIDR, &f.backendRanges},
		{"allow-connection-cidr", f.AllowConnectionCIDR, &f.connectionRanges},
		{"trusted-proxy", f.TrustedProxy, &f.proxyRanges},
	} {
		var err error
		if *r.ranges, err = dialguard.ParseRanges(r.texts); err != nil {
			found.fault(r.flag, failed(nil, "--%s: %s.", r.flag, err))
		}
	}
	f.gatewayCertificate = found.certificate("gateway-tls", f.GatewayTLSCert, f.GatewayTLSKey, "a gateway without HTTPS")
	if f.GatewayMaxCalls < 0 {
		found.fault("gateway-max-calls", failed(nil, "--gateway-max-calls=%d is no number of calls: use one from 1 on, or 0 for no bound.", f.GatewayMaxCalls))
	}
	if f.GatewayMaxConns < 1 {
		found.fault("gateway-max-connections", failed(nil, "--gateway-max-connections=%d is no number of connections: use one from 1 on.", f.GatewayMaxConns))
	}
	if f.ShutdownDelay < 0 || f.ShutdownDelay > maxShutdownDelay {
		found.fault("shutdown-delay", failed(nil, "--shutdown-delay=%s is no delay: use a duration from 0s to %s, such as 10s.", f.ShutdownDelay, maxShutdownDelay))
	}
	found = append(found, f.observeFlags.check()...)
	if f.SQLiteMmapBytes < 0 {
		found.fault("sqlite-mmap-bytes", failed(nil, "--sqlite-mmap-bytes=%d is no number of bytes: use one from 1 on, or 0 to map nothing.", f.SQLiteMmapBytes))
	}
	if f.GatewayCacheBytes < 0 {
		found.fault("gateway-cache-bytes", failed(nil, "--gateway-cache-bytes=%d is no number of bytes: use one from 1 on, or 0 to cache nothing.", f.GatewayCacheBytes))
	}
	return found
}

// storeURL returns the URL of the store: what --store says, or the file that is named instead.
// unset is what --store says where nobody has set it.
func (f *gatewayFlags) storeURL(store, unset string, found *findings) string {
	if f.StoreFile == "" {
		return store
	}
	if store != unset {
		found.fault("store-file", failed(nil, "--store and --store-file both name the store: give one of them."))
		return store
	}
	text, err := os.ReadFile(f.StoreFile)
	if err != nil {
		found.fault("store-file", failed(err, "Cannot read --store-file: %s.", oneLine(err)))
		return store
	}
	if store = strings.TrimSpace(string(text)); !onPostgreSQL(store) {
		// What it holds may be a password, so it is not repeated.
		found.fault("store-file", failed(nil, "--store-file=%s does not hold a postgres:// URL.", f.StoreFile))
	}
	return store
}

// openDataDir opens the directory, with the key that the flags name.
func (f gatewayFlags) openDataDir() (*dataDir, error) {
	return openKeyedDir(f.DataDir, f.EncryptionKey)
}

// sqliteDir returns the directory that SQLite connections may read from, and makes it.
func (f gatewayFlags) sqliteDir(dir *dataDir) (string, error) {
	path := f.SQLiteDir
	if path == "" {
		path = dir.file(databasesDir)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(absolute, 0o750); err != nil {
		return "", failed(err, "Cannot make the directory %s for SQLite databases: %s. Choose another with --sqlite-dir.", absolute, root(err))
	}
	return absolute, nil
}

// gatewayOptions are those that the command line sets.
func (f gatewayFlags) gatewayOptions() gateway.Options {
	o := gateway.Options{MaxCalls: f.GatewayMaxCalls, CacheBytes: f.GatewayCacheBytes, TrustedProxies: f.proxyRanges}
	if f.GatewayCacheBytes == 0 {
		o.CacheBytes = gateway.NoCache
	}
	return o
}

// newSources returns what reads from the databases of connections. dsn is that of the store.
func (f gatewayFlags) newSources(dir *dataDir, dsn string, logger *slog.Logger) (*datasource.Sources, error) {
	sqliteDir, err := f.sqliteDir(dir)
	if err != nil {
		return nil, err
	}
	return datasource.New(datasource.Options{
		SQLiteDir:       sqliteDir,
		SQLiteMmapBytes: f.SQLiteMmapBytes,
		AllowedRanges:   f.connectionRanges,
		// No API may read the service's own records and secrets.
		Forbidden: []string{
			// With the store go the files that SQLite keeps beside it.
			dir.file(storeFile), dir.keyName(), dir.file(tokenFile), dir.file(endpointsFile), dir.file(lockFile),
		},
		StoreDSN: dsn,
		Logger:   logger,
	}), nil
}

// self is what the gateway behind the doors tells of itself.
func self(d *doors) service.Gateway {
	now := time.Now()
	g := service.Gateway{ID: service.NewID(now), Name: "a machine without a name", Version: programVersion(), StartedAt: now}
	if name, err := os.Hostname(); err == nil && name != "" {
		g.Name = name
	}
	for _, one := range []*door{&d.public, &d.secure} {
		if one.listener != nil {
			g.Addresses = append(g.Addresses, one.listener.Addr().String())
		}
	}
	return g
}
