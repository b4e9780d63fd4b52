// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package turnstile bounds what the service's listeners take in at once, so that more
// than it can bear ends in a quick answer and not in a collapse: [Conns] bounds the
// connections, [Calls] the calls that are under way. It knows nothing of what is called.
package turnstile
