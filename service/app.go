// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"log/slog"
	"net/url"
	"time"
)

// AppType is how an app proves that a call is its own.
type AppType string

// The types of app.
const (
	// AppTypeApp has a key and a secret, and an AppCode.
	AppTypeApp AppType = "APP"
	// AppTypeIAM stands for its owner: it calls with the tokens of that member.
	AppTypeIAM AppType = "IAM"
)

// AppTypes lists every type of app.
var AppTypes = []AppType{AppTypeApp, AppTypeIAM}

// AppSpec is what a user says about an app.
type AppSpec struct {
	Name        string  `json:"name" doc:"4 to 50 letters, digits and underscores, starting with a letter; unique in the workspace."`
	Description string  `json:"description,omitempty" doc:"At most 2000 characters."`
	Type        AppType `json:"type,omitempty" enum:"APP,IAM" doc:"APP (where absent): has a key, a secret and an AppCode. IAM: stands for its owner and calls with that member's tokens; a member has one at the most. It cannot change."`
	// WebhookURL is told of notices; "" tells nobody.
	WebhookURL string `json:"webhook_url,omitempty" doc:"http:// or https:// address that notices are sent to, signed; absent: nowhere."`
}

// App is a consumer of published APIs.
type App struct {
	ID          string `json:"id"`
	Number      int64  `json:"number"`
	WorkspaceID string `json:"workspace_id"`
	AppSpec
	OwnerID   string `json:"owner_id"`
	OwnerName string `json:"owner_name"`
	// Key names the app in signatures; "" for IAM.
	Key       string    `json:"key,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`

	// RowVersion counts every change of the record; it makes the ETag.
	RowVersion int64 `json:"-"`
}

// AppInput creates or replaces an app.
type AppInput struct {
	AppSpec
	// OwnerID hands the app over; the caller, or the owner there is, where absent.
	OwnerID string `json:"owner_id,omitempty" doc:"Member (id or name) that the app belongs to: the caller, or who it belongs to already, where absent. Admins alone name somebody else."`
}

// WithDefaults fills in what a user may leave out.
func (s AppSpec) WithDefaults() AppSpec {
	if s.Type == "" {
		s.Type = AppTypeApp
	}
	return s
}

// MaxWebhookURLLength is in characters.
const MaxWebhookURLLength = 2000

// Validate checks name, description, type and webhook.
func (s AppSpec) Validate() error {
	var v Invalid
	checkName(&v, s.Name)
	checkMaxLength(&v, "/description", "description", s.Description, MaxDescriptionLength)
	if !oneOf(s.Type, AppTypes) {
		v.Addf("/type", "%q is not a type of app: use %s.", s.Type, quoted(AppTypes))
	}
	if s.WebhookURL != "" {
		checkMaxLength(&v, "/webhook_url", "address", s.WebhookURL, MaxWebhookURLLength)
		u, err := url.Parse(s.WebhookURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
			v.Addf("/webhook_url", "%q is not the address of a webhook: use http:// or https://, a host, and maybe a port, a path and a query, without a user.", s.WebhookURL)
		}
	}
	return v.Err("The app")
}

// Credentials are what an app signs its calls with. The previous secret and AppCode go
// on being valid until PreviousValidUntil, so that a rotation needs no pause. An app of
// type IAM has a WebhookSecret alone. The answer to a rotation has no secrets: the owner
// reads them.
type Credentials struct {
	AppID   string `json:"app_id"`
	Key     string `json:"key,omitempty"`
	Secret  string `json:"secret,omitempty"`
	AppCode string `json:"app_code,omitempty"`
	// Generation counts from 1, and each rotation counts it up.
	Generation int64     `json:"generation,omitempty"`
	CreatedAt  time.Time `json:"created_at"`
	// PreviousValidUntil is absent where there is no previous generation that is still valid.
	PreviousValidUntil *time.Time `json:"previous_valid_until,omitempty"`
	// WebhookSecret is the key of the signatures of the app's webhook.
	WebhookSecret string `json:"webhook_secret,omitempty"`
}

// String hides the secrets from fmt.
func (c Credentials) String() string { return "credentials of app " + c.AppID }

// GoString hides the secrets from %#v.
func (c Credentials) GoString() string { return c.String() }

// LogValue hides the secrets from slog.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Limits of a rotation's overlap, in hours.
const (
	DefaultOverlapHours = 24
	MaxOverlapHours     = 30 * 24
)

// RotateInput asks for new credentials of an app.
type RotateInput struct {
	// OverlapHours is how long the present ones stay valid.
	OverlapHours *int `json:"overlap_hours,omitempty" doc:"How long the present secret and AppCode stay valid besides the new ones, 0 to 720 hours; 24 where absent. Older ones end at once."`
}

// Validate checks the overlap.
func (in RotateInput) Validate() error {
	var v Invalid
	if h := in.OverlapHours; h != nil && (*h < 0 || *h > MaxOverlapHours) {
		v.Addf("/overlap_hours", "%d is not an overlap: use 0 to %d hours.", *h, MaxOverlapHours)
	}
	return v.Err("The rotation")
}

// Overlap is how long the present credentials stay valid.
func (in RotateInput) Overlap() time.Duration {
	if in.OverlapHours == nil {
		return DefaultOverlapHours * time.Hour
	}
	return time.Duration(*in.OverlapHours) * time.Hour
}

// ETag is the entity tag of the app.
func (a App) ETag() string { return etag(a.RowVersion) }
