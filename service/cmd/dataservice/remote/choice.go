// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package remote

import (
	"fmt"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// The types below are flags whose values the domain enumerates. They are read in capitals
// and small letters alike.

// Chooser is a flag that takes one of some words.
type Chooser interface {
	// Choices are the words.
	Choices() []string
}

type (
	statusFlag       service.Status
	reviewStatusFlag service.ReviewStatus
	reviewKindFlag   service.ReviewKind
	modeFlag         service.Mode
	visibilityFlag   service.Visibility
	debugStatusFlag  service.DebugStatus
	noticeStatusFlag service.NoticeStatus
	noticeKindFlag   service.NoticeKind
)

// UnmarshalText reads a status of a publication.
func (f *statusFlag) UnmarshalText(text []byte) error { return choose(f, text) }

// Choices are the statuses of publications.
func (statusFlag) Choices() []string { return words(service.Statuses) }

// UnmarshalText reads a status of a review.
func (f *reviewStatusFlag) UnmarshalText(text []byte) error { return choose(f, text) }

// Choices are the statuses of reviews.
func (reviewStatusFlag) Choices() []string { return words(service.ReviewStatuses) }

// UnmarshalText reads a kind of review.
func (f *reviewKindFlag) UnmarshalText(text []byte) error { return choose(f, text) }

// Choices are the kinds of review.
func (reviewKindFlag) Choices() []string { return words(service.ReviewKinds) }

// UnmarshalText reads a mode of APIs.
func (f *modeFlag) UnmarshalText(text []byte) error { return choose(f, text) }

// Choices are the modes of APIs.
func (modeFlag) Choices() []string { return words(service.Modes) }

// UnmarshalText reads a visibility.
func (f *visibilityFlag) UnmarshalText(text []byte) error { return choose(f, text) }

// Choices are the visibilities.
func (visibilityFlag) Choices() []string { return words(service.Visibilities) }

// UnmarshalText reads a debug status.
func (f *debugStatusFlag) UnmarshalText(text []byte) error { return choose(f, text) }

// Choices are the debug statuses.
func (debugStatusFlag) Choices() []string { return words(service.DebugStatuses) }

// UnmarshalText reads a status of a notice.
func (f *noticeStatusFlag) UnmarshalText(text []byte) error { return choose(f, text) }

// Choices are the statuses of notices.
func (noticeStatusFlag) Choices() []string { return words(service.NoticeStatuses) }

// UnmarshalText reads a kind of notice.
func (f *noticeKindFlag) UnmarshalText(text []byte) error { return choose(f, text) }

// Choices are the kinds of notice.
func (noticeKindFlag) Choices() []string { return words(service.NoticeKinds) }

func choose[T ~string, P interface {
	*T
	Chooser
}](into P, text []byte) error {
	word := strings.ToUpper(string(text))
	for _, c := range into.Choices() {
		if c == word {
			*into = T(word)
			return nil
		}
	}
	return fmt.Errorf("%q is none of %s", text, strings.Join(into.Choices(), ", "))
}

func words[T ~string](all []T) []string {
	texts := make([]string, len(all))
	for i, v := range all {
		texts[i] = string(v)
	}
	return texts
}
