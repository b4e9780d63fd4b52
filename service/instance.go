// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Instance is a gateway cluster.
type Instance struct {
	ID          string `json:"id"`
	Number      int64  `json:"number"`
	WorkspaceID string `json:"workspace_id"`
	InstanceSpec
	// ReleaseEnvironmentID is the id of the environment RELEASE, which every instance has.
	ReleaseEnvironmentID string    `json:"release_environment_id"`
	CreatedAt            time.Time `json:"created_at"`
	UpdatedAt            time.Time `json:"updated_at"`

	// RowVersion counts every change of the record; it makes the ETag.
	RowVersion int64 `json:"-"`
}

// InstanceSpec is what a user says about an instance.
type InstanceSpec struct {
	Name        string `json:"name" doc:"2 to 64 letters, digits, underscores and hyphens, starting with a letter; unique in the workspace."`
	Description string `json:"description,omitempty" doc:"At most 2000 characters."`
	// HostNames are those that the gateway knows the instance by. Calls of any other host
	// go to the first workspace's default instance.
	HostNames []string `json:"host_names,omitempty" doc:"DNS names, without port, that calls of the instance's APIs are sent to; each belongs to one instance of the service."`
}

// InstanceInput creates or replaces an instance.
type InstanceInput struct {
	InstanceSpec
}

// Limits of host names.
const (
	// MaxHostNames is how many host names an instance has at the most.
	MaxHostNames = 100
	// maxHostNameLength is in characters. Source: RFC 1035, 2.3.4, less the dots at both ends.
	maxHostNameLength = 253
)

// hostNamePattern holds what RFC 1123, 2.1 allows, in lower case.
var hostNamePattern = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)$`)

// Validate checks name, description and host names.
func (s InstanceSpec) Validate() error {
	var v Invalid
	if !stagePattern.MatchString(s.Name) {
		v.Addf("/name", "%q is not a valid instance name: use 2 to 64 letters, digits, underscores and hyphens, starting with a letter.", s.Name)
	}
	checkMaxLength(&v, "/description", "description", s.Description, MaxDescriptionLength)
	if len(s.HostNames) > MaxHostNames {
		v.Addf("/host_names", "There are %d host names; %d is the most.", len(s.HostNames), MaxHostNames)
	}
	seen := map[string]bool{}
	for i, host := range s.HostNames {
		at := Pointer("host_names", strconv.Itoa(i))
		switch {
		case host != strings.ToLower(host) && isHostName(strings.ToLower(host)):
			v.Addf(at, "Write host names in lower case: %q.", strings.ToLower(host))
		case !isHostName(host):
			v.Addf(at, "%q is not a host name: use a DNS name such as api.example.com, without scheme, port and path; an address is none.", host)
		case seen[host]:
			v.Addf(at, "%q stands here twice.", host)
		}
		seen[host] = true
	}
	return v.Err("The instance")
}

// isHostName leaves out addresses: their last part is a number, which that of no name is.
func isHostName(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	return len(host) <= maxHostNameLength && hostNamePattern.MatchString(host) && strings.ContainsFunc(last, unicode.IsLetter)
}

// ETag is the entity tag of the instance.
func (i Instance) ETag() string { return etag(i.RowVersion) }
