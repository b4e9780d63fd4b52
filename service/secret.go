// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import "log/slog"

const redacted = "(secret)"

// Secret is a value that is never printed, logged or encoded; [Secret.Reveal] is
// the one way to read it.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret from fmt.
func (s Secret) String() string { return redacted }

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return redacted }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the secret from JSON and every other text encoding.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
