// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// noticeTimeAttribute is the time that a notice gives. It counts when a call is made, and
// means nothing afterwards.
func noticeTimeAttribute(what string) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: what + " A whole hour in UTC as RFC 3339, such as `2030-01-31T08:00:00Z`, at least the environment's notice ahead; the earliest allowed hour where absent. " +
			"It counts in the apply that announces something, and changes nothing of what is announced already. A destroy for which it is too early, or past, takes the earliest allowed hour.",
		Optional:   true,
		Validators: []validator.String{wholeHourValidator{}},
	}
}

// wholeHourValidator checks what can be told without knowing the environment's notice.
type wholeHourValidator struct{}

func (wholeHourValidator) Description(context.Context) string {
	return "must be a whole hour in UTC, such as 2030-01-31T08:00:00Z"
}

func (v wholeHourValidator) MarkdownDescription(ctx context.Context) string {
	return v.Description(ctx)
}

func (wholeHourValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	text := req.ConfigValue.ValueString()
	at, err := time.Parse(time.RFC3339, text)
	switch utc := at.UTC(); {
	case err != nil:
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid time", fmt.Sprintf("%q is not a time: write a whole hour in UTC, such as 2030-01-31T08:00:00Z.", text))
	case !utc.Equal(utc.Truncate(time.Hour)):
		if inUTC := utc.Format(time.RFC3339Nano); inUTC != text {
			text += " is " + inUTC + " in UTC, which"
		}
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid time",
			fmt.Sprintf("%s is not a whole hour. Write %s or %s.", text,
				utc.Truncate(time.Hour).Format(time.RFC3339), utc.Truncate(time.Hour).Add(time.Hour).Format(time.RFC3339)))
	}
}

// timeOrNull is the value of a computed time that may be missing.
func timeOrNull(t *time.Time) types.String {
	if t == nil {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339))
}

// deadlineOf is a deadline for a sentence.
func deadlineOf(t *time.Time) string {
	if t == nil {
		return "an unknown time"
	}
	return t.UTC().Format(time.RFC3339)
}

// lookTime bounds the look at what is there after something failed or was interrupted.
const lookTime = 10 * time.Second

// unconfirmed says, in a sentence after a space, which apps have not confirmed their
// open notices; "" where that cannot be told. It looks also when ctx has ended.
func (b *backend) unconfirmed(ctx context.Context, filter client.NoticeFilter) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
	defer cancel()
	notices, err := b.openNotices(ctx, filter)
	if err != nil || len(notices) == 0 {
		return ""
	}
	names := make([]string, len(notices))
	for i, n := range notices {
		names[i] = fmt.Sprintf("%s (of %s)", n.AppName, n.AppOwnerName)
	}
	slices.Sort(names)
	return fmt.Sprintf(" Not confirmed by: %s.", strings.Join(names, ", "))
}

// openNotices returns the notices that nobody has confirmed.
func (b *backend) openNotices(ctx context.Context, filter client.NoticeFilter) ([]service.Notice, error) {
	filter.Status = service.NoticeOpen
	return client.All(ctx, func(ctx context.Context, page client.Page) (service.List[service.Notice], error) {
		return b.client.Notices(ctx, filter, page)
	})
}
