// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// Names of files in a data directory that a command on the service's own machine reads.
const (
	endpointsFile = "endpoints.json"
	tokenFile     = "admin.token"
)

// Connection says which service is called, and as whom. Its environment variables are
// those of the provider.
type Connection struct {
	Endpoint       string        `group:"Which service, and as whom:" help:"Base URL of the control plane; where absent, what DATA_DIR/endpoints.json tells, else http://127.0.0.1:8080." env:"DATASERVICE_ENDPOINT" placeholder:"URL"`
	DataDir        string        `group:"Which service, and as whom:" help:"Data directory of the service, to find its address and admin token in." default:"./dataservice-data" env:"DATASERVICE_DATA_DIR"`
	TokenFile      string        `group:"Which service, and as whom:" help:"File with the token to call with; where absent, the token in $$DATASERVICE_TOKEN, else DATA_DIR/admin.token." env:"DATASERVICE_TOKEN_FILE" placeholder:"FILE"`
	Workspace      string        `group:"Which service, and as whom:" help:"Workspace: id, number or name." default:"default" env:"DATASERVICE_WORKSPACE"`
	CACertFile     string        `group:"Which service, and as whom:" name:"ca-cert-file" help:"PEM file with certificates to trust besides the system's." env:"DATASERVICE_CA_CERT_FILE" placeholder:"FILE"`
	ClientCertFile string        `group:"Which service, and as whom:" help:"PEM file with the certificate to show where the service, or a proxy in front of it, asks for one; with --client-key-file." env:"DATASERVICE_CLIENT_CERT_FILE" placeholder:"FILE"`
	ClientKeyFile  string        `group:"Which service, and as whom:" help:"PEM file with the key of the client certificate." env:"DATASERVICE_CLIENT_KEY_FILE" placeholder:"FILE"`
	RequestTimeout time.Duration `group:"Which service, and as whom:" help:"How long one attempt of one request may take. Waiting for a decision is not bounded by it." default:"30s" env:"DATASERVICE_REQUEST_TIMEOUT"`
	MaxRetries     int           `group:"Which service, and as whom:" help:"How often a request that got no answer, or one that says \"later\", is tried again, where that is safe: 0 to 20." default:"2" env:"DATASERVICE_MAX_RETRIES"`
}

// maxRetries is what the provider takes at the most, too.
const maxRetries = 20

// Connect returns a client of the service. It does not connect.
func (c Connection) Connect(programVersion string) (*client.Client, error) {
	if c.MaxRetries < 0 || c.MaxRetries > maxRetries {
		return nil, usage("--max-retries=%d is not a number of retries: use 0 to %d.", c.MaxRetries, maxRetries)
	}
	if c.RequestTimeout <= 0 {
		return nil, usage("--request-timeout=%s is not a time: use a positive duration such as 30s.", c.RequestTimeout)
	}
	token, err := c.token()
	if err != nil {
		return nil, err
	}
	return client.New(client.Config{
		Endpoint: c.endpoint(), Token: token, Workspace: c.Workspace,
		CACertFile: c.CACertFile, ClientCertFile: c.ClientCertFile, ClientKeyFile: c.ClientKeyFile,
		RequestTimeout: c.RequestTimeout, MaxRetries: c.MaxRetries, UserAgent: "dataservice/" + programVersion,
	})
}

func (c Connection) endpoint() string {
	if c.Endpoint != "" {
		return c.Endpoint
	}
	var endpoints struct {
		ControlPlane string `json:"control_plane"`
	}
	if data, err := os.ReadFile(filepath.Join(c.DataDir, endpointsFile)); err == nil && json.Unmarshal(data, &endpoints) == nil && endpoints.ControlPlane != "" {
		return endpoints.ControlPlane
	}
	return "http://127.0.0.1:8080"
}

func (c Connection) token() (string, error) {
	name := c.TokenFile
	if name == "" {
		if token := os.Getenv("DATASERVICE_TOKEN"); token != "" {
			return token, nil
		}
		name = filepath.Join(c.DataDir, tokenFile)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		reason := err
		var pathError *fs.PathError
		if errors.As(err, &pathError) {
			reason = pathError.Err
		}
		return "", &failure{
			exit: ExitUsage, cause: err,
			message: fmt.Sprintf("Cannot read a token from %s: %s. Name the service's --data-dir or a --token-file, or set DATASERVICE_TOKEN.", name, reason),
		}
	}
	return strings.TrimSpace(string(text)), nil
}
