// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"time"
)

// NewID returns a UUIDv7 (RFC 9562) as 32 lower-case hex digits: ids made later sort later.
func NewID(now time.Time) string {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic("service: the system has no random numbers: " + err.Error())
	}
	ms := now.UnixMilli()
	b[0], b[1], b[2] = byte(ms>>40), byte(ms>>32), byte(ms>>24)
	b[3], b[4], b[5] = byte(ms>>16), byte(ms>>8), byte(ms)
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return hex.EncodeToString(b[:])
}

var idPattern = regexp.MustCompile(`^[0-9a-f]{32}$`)

// IsID reports whether s has the form of an id made by [NewID].
func IsID(s string) bool { return idPattern.MatchString(s) }

// FirstNumber is the first sequential number of each numbered kind (APIs,
// connections, folders, workspaces, instances, apps, test calls); the wire formats that need integers use it.
const FirstNumber int64 = 100001

// DefaultWorkspace and DefaultInstance are the names that exist from the start.
const (
	DefaultWorkspace = "default"
	DefaultInstance  = "default"
)

// The environment that exists from the start in the default instance.
// Source: apig-publish-offline, Example Requests.
const (
	ReleaseEnvironmentID   = "DEFAULT_ENVIRONMENT_RELEASE_ID"
	ReleaseEnvironmentName = "RELEASE"
)
