// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package client calls the native HTTP API of dataservice. It is the provider's and
// the command line's only way in.
//
// Every method takes a context, returns the domain's own types and fails with an
// [*Error], whose sentence names the endpoint and the request id. Reads, and writes
// that carry an idempotency key, are tried again where that is safe.
package client

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Defaults of a [Config].
const (
	DefaultRequestTimeout = 30 * time.Second
	DefaultMaxRetries     = 4
)

// MaxWait is the longest wait that the service grants a long poll.
const MaxWait = 60 * time.Second

// Config says how to reach the service.
type Config struct {
	// Endpoint is the base URL of the control plane, such as "https://dataservice.example.com".
	Endpoint string
	// Token is the secret of a member's token.
	Token string
	// Workspace is an id, a number or a name; "default" where empty.
	Workspace string
	// CACertFile is a PEM file with certificates to trust besides the system's.
	CACertFile string
	// ClientCertFile and ClientKeyFile are PEM files with the certificate that is shown to
	// who asks for one, such as a proxy in front of the service, and its key; none where
	// both are "".
	ClientCertFile, ClientKeyFile string
	// RequestTimeout bounds one attempt of one call, without the wait of a long poll; 30 s where 0.
	RequestTimeout time.Duration
	// MaxRetries is how often a call that failed is tried again; none where 0.
	MaxRetries int
	// MaxConcurrent is how many calls are under way at once, those that wait to be tried
	// again included; any number where 0. Long polls do not count: the service holds them
	// open, and what they wait for may be another call's doing.
	MaxConcurrent int
	// UserAgent is sent with every call.
	UserAgent string
	// Log is told of every attempt and every answer. It gets neither headers nor
	// bodies, so no secret. Nil logs nothing.
	Log func(ctx context.Context, message string, fields map[string]any)
}

// ConfigError is a [Config] that cannot be used; Field is the name of the field.
type ConfigError struct {
	Field   string
	Message string
}

// Error returns the message.
func (e *ConfigError) Error() string { return e.Message }

// Client calls one workspace of one service. It is safe for concurrent use.
type Client struct {
	endpoint  string
	token     string
	workspace string
	userAgent string
	timeout   time.Duration
	retries   int
	log       func(ctx context.Context, message string, fields map[string]any)

	calls *retryablehttp.Client // ordinary calls
	polls *retryablehttp.Client // calls that the service holds open for up to MaxWait

	// turns has room for as many ordinary calls as may be under way; nil where that is any number.
	turns chan struct{}

	// backoff is the first pause between two attempts; it doubles up to maxPause.
	backoff time.Duration
}

// New returns a client, or a [*ConfigError]. It does not connect.
func New(config Config) (*Client, error) {
	endpoint, err := parseEndpoint(config.Endpoint)
	if err != nil {
		return nil, err
	}
	if err := checkToken(config.Token); err != nil {
		return nil, err
	}
	if config.RequestTimeout < 0 {
		return nil, &ConfigError{"RequestTimeout", fmt.Sprintf("%s is not a request timeout: use a positive duration such as 30s.", config.RequestTimeout)}
	}
	if config.MaxRetries < 0 {
		return nil, &ConfigError{"MaxRetries", fmt.Sprintf("%d is not a number of retries: use 0 or more.", config.MaxRetries)}
	}
	if config.MaxConcurrent < 0 {
		return nil, &ConfigError{"MaxConcurrent", fmt.Sprintf("%d is not a number of calls: use 1 or more, or 0 for any number.", config.MaxConcurrent)}
	}
	transport, err := newTransport(config)
	if err != nil {
		return nil, err
	}
	c := &Client{
		endpoint:  endpoint,
		token:     config.Token,
		workspace: config.Workspace,
		userAgent: config.UserAgent,
		timeout:   config.RequestTimeout,
		retries:   config.MaxRetries,
		log:       config.Log,
		backoff:   250 * time.Millisecond,
	}
	if c.workspace == "" {
		c.workspace = service.DefaultWorkspace
	}
	if c.timeout == 0 {
		c.timeout = DefaultRequestTimeout
	}
	if c.userAgent == "" {
		c.userAgent = "dataservice-client"
	}
	if c.log == nil {
		c.log = func(context.Context, string, map[string]any) {}
	}
	if config.MaxConcurrent > 0 {
		c.turns = make(chan struct{}, config.MaxConcurrent)
	}
	c.calls = c.retrying(transport, c.timeout)
	c.polls = c.retrying(transport, c.timeout+MaxWait)
	return c, nil
}

// As returns a client that calls the workspace with that token, and is otherwise the same.
func (c *Client) As(token, workspace string) *Client {
	other := *c
	other.token, other.workspace = token, workspace
	return &other
}

// Endpoint returns the base URL that the client calls.
func (c *Client) Endpoint() string { return c.endpoint }

// Workspace returns the id, number or name of the workspace that the client calls.
func (c *Client) Workspace() string { return c.workspace }

func parseEndpoint(endpoint string) (string, error) {
	refuse := func(why string) (string, error) {
		return "", &ConfigError{"Endpoint", fmt.Sprintf("%q is not an endpoint: %s. Use the base URL of the control plane, such as http://127.0.0.1:8080.", endpoint, why)}
	}
	u, err := url.Parse(endpoint)
	switch {
	case endpoint == "":
		return refuse("it is empty")
	case err != nil:
		return refuse("it is not a URL")
	case u.User != nil:
		// The sentence must not repeat a password.
		return "", &ConfigError{"Endpoint", "The endpoint must not contain a user or password: credentials go into the token."}
	case u.Scheme != "http" && u.Scheme != "https":
		return refuse("it must start with http:// or https://")
	case u.Hostname() == "":
		return refuse("it names no host")
	case u.RawQuery != "" || u.Fragment != "":
		return refuse("it has a query or a fragment")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func checkToken(token string) error {
	if token == "" {
		return &ConfigError{"Token", "There is no token."}
	}
	for _, r := range token {
		if r <= ' ' || r > '~' {
			return &ConfigError{"Token", "The token has white space or characters that no token has: was it read from a file with its line end?"}
		}
	}
	return nil
}
