// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// backend is the service as one provider configuration sees it.
type backend struct {
	// client is nil while a part of the provider configuration is unknown.
	client         *client.Client
	planValidation bool
	// unknown names the parts of the provider configuration that are unknown.
	unknown []string

	mu       sync.Mutex
	identity *service.Identity
	// release is the own id of the environment RELEASE of the default instance; "" until it is asked for.
	release string
	// rights are those in each environment that was asked about, by its id.
	rights map[string]*askedRights
	// creating holds the keys of the creates that this process has made or is making.
	creating map[string]bool
	// issued holds a client for each token that this process has made and not revoked yet.
	issued map[string]*client.Client
}

// greetingTime bounds the first call. A service that does not answer in that time
// is not reported here but by what needs it.
const greetingTime = 5 * time.Second

// greet finds out who we are, so that a wrong token or workspace is reported once
// and on its attribute.
func (b *backend) greet(ctx context.Context, diags *diag.Diagnostics) {
	ctx, cancel := context.WithTimeout(ctx, greetingTime)
	defer cancel()
	var wrong *wrongWorkspaceError
	switch _, err := b.whoAmI(ctx, client.Once()); {
	case err == nil:
	case errors.As(err, &wrong):
		diags.AddAttributeError(path.Root("workspace"), "Unknown workspace", err.Error()+" The workspace comes from workspace or the environment variable DATASERVICE_WORKSPACE.")
	case service.ErrorCode(err) == service.CodeUnauthenticated:
		diags.AddAttributeError(path.Root("token"), "The token is not accepted", err.Error()+" The token comes from token or the environment variable DATASERVICE_TOKEN.")
	default:
		tflog.Warn(ctx, "the service does not answer yet", map[string]any{"error": err.Error()})
	}
}

// wrongWorkspaceError is a token of another workspace than the configured one.
type wrongWorkspaceError struct {
	configured, actual, member string
}

func (e *wrongWorkspaceError) Error() string {
	return fmt.Sprintf("The token belongs to %s in the workspace %q, and opens no workspace %q.", e.member, e.actual, e.configured)
}

// whoAmI returns who the token belongs to, asking the service once. It must have
// succeeded before a "not found" may be believed: in a wrong workspace nothing is found.
func (b *backend) whoAmI(ctx context.Context, options ...client.Option) (service.Identity, error) {
	if known := b.known(); known != nil {
		return *known, nil
	}
	identity, err := b.client.WhoAmI(ctx, options...)
	if err != nil {
		return service.Identity{}, err
	}
	if !identity.Workspace.Named(b.client.Workspace()) {
		return service.Identity{}, &wrongWorkspaceError{b.client.Workspace(), identity.Workspace.Name, identity.Member.Name}
	}
	b.mu.Lock()
	b.identity = &identity
	b.mu.Unlock()
	return identity, nil
}

// known is who the token belongs to; nil until the service has said so.
func (b *backend) known() *service.Identity {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.identity
}

// ready makes sure that the service can be called, and reports where it cannot.
func (b *backend) ready(ctx context.Context, diags *diag.Diagnostics) bool {
	if b.client == nil {
		diags.AddError("The provider is not configured",
			fmt.Sprintf("The provider's %s is known only after an apply, so nothing can be changed yet. Apply what it depends on first, with -target.", strings.Join(b.unknown, ", ")))
		return false
	}
	if _, err := b.whoAmI(ctx); err != nil {
		addError(diags, nil, "Cannot call the service", err)
		return false
	}
	return true
}

// readable is ready for a refresh: while the provider configuration is unknown, the
// state stays as it is, with a warning.
func (b *backend) readable(ctx context.Context, diags *diag.Diagnostics) bool {
	if b.client == nil {
		diags.AddWarning("Not refreshed",
			fmt.Sprintf("The provider's %s is known only after an apply: the state is kept as it is.", strings.Join(b.unknown, ", ")))
		return false
	}
	return b.ready(ctx, diags)
}

// createKey derives the idempotency key of a create, so that a create whose answer
// was lost is adopted by the next apply. The body must hold no secret.
//
// The service forgets the key once the creator has read what it created. A create
// therefore reads nothing: the answer has arrived for good only when the CLI has
// written its state, and that shows in the refresh of the next plan.
func (b *backend) createKey(ctx context.Context, kind, name string, body any) (string, error) {
	identity, err := b.whoAmI(ctx)
	if err != nil {
		return "", err
	}
	data, err := json.Marshal([]any{identity.Member.ID, kind, name, body})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// claim makes a key this process's own. A second claim fails: two blocks of the
// configuration describe the same thing. A create that failed releases its claim.
func (b *backend) claim(key string) (release func(), ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.creating[key] {
		return nil, false
	}
	b.creating[key] = true
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.creating, key)
	}, true
}

// keep remembers a client that acts with the token of that id.
func (b *backend) keep(id string, c *client.Client) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.issued == nil {
		b.issued = map[string]*client.Client{}
	}
	b.issued[id] = c
}

// kept takes back what keep remembered, and is the provider's own client where it did not.
func (b *backend) kept(id string) *client.Client {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, ok := b.issued[id]
	delete(b.issued, id)
	if !ok {
		return b.client
	}
	return c
}

// configured is what every resource gets from the provider.
type configured struct {
	backend *backend
}

// Configure takes over the provider's backend.
func (c *configured) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if b, ok := req.ProviderData.(*backend); ok {
		c.backend = b
	}
}

// configuredSource is the same for data sources.
type configuredSource struct {
	backend *backend
}

// Configure takes over the provider's backend.
func (c *configuredSource) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	if b, ok := req.ProviderData.(*backend); ok {
		c.backend = b
	}
}

// ready makes sure that the service can be asked for what is named, and reports where it
// cannot.
func (c *configuredSource) ready(ctx context.Context, diags *diag.Diagnostics, what string) bool {
	if c.backend.client == nil {
		diags.AddError("The provider is not configured",
			fmt.Sprintf("The provider's %s is known only after an apply, so %s cannot be looked up yet. Apply what it depends on first, with -target.", strings.Join(c.backend.unknown, ", "), what))
		return false
	}
	return c.backend.ready(ctx, diags)
}

// configuredEphemeral is the same for ephemeral resources.
type configuredEphemeral struct {
	backend *backend
}

// Configure takes over the provider's backend.
func (c *configuredEphemeral) Configure(_ context.Context, req ephemeral.ConfigureRequest, _ *ephemeral.ConfigureResponse) {
	if b, ok := req.ProviderData.(*backend); ok {
		c.backend = b
	}
}

// configuredAction is the same for actions.
type configuredAction struct {
	backend *backend
}

// Configure takes over the provider's backend.
func (c *configuredAction) Configure(_ context.Context, req action.ConfigureRequest, _ *action.ConfigureResponse) {
	if b, ok := req.ProviderData.(*backend); ok {
		c.backend = b
	}
}

// sendProgress tells the user how far an action has come.
func sendProgress(resp *action.InvokeResponse, format string, args ...any) {
	resp.SendProgress(action.InvokeProgressEvent{Message: fmt.Sprintf(format, args...)})
}

// addError reports an error of the service: what is wrong with a field on the
// field's attribute, found in the schema's type, and the rest as it is.
func addError(diags *diag.Diagnostics, schemaType attr.Type, summary string, err error) {
	var e *client.Error
	if !errors.As(err, &e) || schemaType == nil || len(e.Fields()) == 0 {
		diags.AddError(summary, err.Error())
		return
	}
	var rest []service.FieldError
	for _, f := range e.Fields() {
		at, ok := attributePath(schemaType, f.Pointer)
		if !ok {
			rest = append(rest, f)
			continue
		}
		detail := sentence(f.Message, e.Problem.Detail)
		if len(at.Steps()) > 1 {
			// Terraform shows the line of a top-level attribute only.
			detail = at.String() + ": " + detail
		}
		diags.AddAttributeError(at, summary, detail+e.Reference())
	}
	if len(rest) > 0 {
		whole := &service.Error{Message: e.Problem.Detail, Fields: rest}
		diags.AddError(summary, whole.Error()+e.Reference())
	}
}

// sentence returns the message of a field, after that of the whole where the
// field's alone would not be one.
func sentence(field, whole string) string {
	if strings.HasSuffix(field, ".") || strings.HasSuffix(field, "?") {
		return field
	}
	return whole + " (" + field + ")"
}

// addCreateError reports a create that failed. Where the name is taken it teaches
// how to take over what has it; find looks that up.
func addCreateError(ctx context.Context, diags *diag.Diagnostics, schemaType attr.Type, kind, name, summary string, err error, find func(ctx context.Context, name string) (id string, err error)) {
	if service.ErrorCode(err) == service.CodeAlreadyExists {
		if id, findErr := find(ctx, name); findErr == nil {
			diags.AddAttributeError(path.Root("name"), summary, fmt.Sprintf(
				"%s To manage the one that exists, import it:\n\n  terraform import %s.<label> %s\n\nOtherwise choose another name, or remove the block that describes it twice.",
				err, kind, id))
			return
		}
	}
	addError(diags, schemaType, summary, err)
}

// addDuplicate reports two blocks that describe the same thing.
func addDuplicate(diags *diag.Diagnostics, at path.Path, what string) {
	diags.AddAttributeError(at, "Described twice",
		fmt.Sprintf("Another block of this configuration creates %s in the same apply. One thing belongs to one block: remove one of them.", what))
}

// addUpdateError reports an update that failed.
func addUpdateError(diags *diag.Diagnostics, schemaType attr.Type, summary string, err error) {
	switch service.ErrorCode(err) {
	case service.CodeStale:
		diags.AddError(summary, fmt.Sprintf("%s Nothing was changed. It is no longer what this plan was made from: run plan again, and look at what somebody else changed.", err))
	case service.CodeNotFound:
		diags.AddError(summary, fmt.Sprintf("%s It was there when the plan was made: run plan again to create it anew.", err))
	default:
		addError(diags, schemaType, summary, err)
	}
}

// summary is the headline of an error: what could not be done to which thing.
func summary(verb, kind, name, id string) string {
	if name == "" {
		name = id
	}
	return strings.TrimSpace(fmt.Sprintf("Cannot %s %s %s", verb, kind, name))
}
