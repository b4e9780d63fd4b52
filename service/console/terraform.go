// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"fmt"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// What a page does can be written down for Terraform. Nothing but names of APIs and ids
// stands in these texts, which need no escapes.

// attribute is a line of a block.
type attribute struct{ name, value string }

// block writes a resource as terraform fmt would.
func block(kind, name string, attributes ...attribute) string {
	width := 0
	for _, a := range attributes {
		width = max(width, len(a.name))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "resource %q %q {\n", kind, name)
	for _, a := range attributes {
		fmt.Fprintf(&b, "  %-*s = %s\n", width, a.name, a.value)
	}
	b.WriteString("}")
	return b.String()
}

func quote(text string) string { return fmt.Sprintf("%q", text) }

// configured is the publication as Terraform would have it, with what is to be different.
func configured(p service.Publication, different ...attribute) string {
	attributes := []attribute{{"api_id", quote(p.APIID)}, {"environment_id", quote(p.EnvironmentID)}}
	if revision := p.TargetRevision(); revision > 0 && (len(different) == 0 || different[0].name != "version") {
		attributes = append(attributes, attribute{"api_revision", fmt.Sprint(revision)})
	}
	return block("dataservice_publication", p.APIName, append(attributes, different...)...)
}

// taken is how Terraform takes a publication over that it does not know.
func taken(p service.Publication) string {
	return fmt.Sprintf("import {\n  to = dataservice_publication.%s\n  id = %q\n}", p.APIName, p.ID)
}

// decided is a decision on a review as Terraform would make it.
func decided(r service.Review) string {
	return block("dataservice_review", r.APIName, attribute{"review_id", quote(r.ID)}, attribute{"decision", `"APPROVE"`}, attribute{"comment", `"Looks good."`})
}

// appliedFor is what makes the application of a review.
func appliedFor(r service.Review) string {
	if r.Kind == service.ReviewAuthorize {
		attributes := []attribute{{"api_id", quote(r.APIID)}, {"environment_id", quote(r.EnvironmentID)}, {"app_id", quote(r.AppID)}}
		if r.Until != nil {
			attributes = append(attributes, attribute{"until", quote(r.Until.UTC().Format("2006-01-02T15:04:05Z"))})
		}
		return block("dataservice_authorization", r.APIName, attributes...)
	}
	attributes := []attribute{{"api_id", quote(r.APIID)}, {"environment_id", quote(r.EnvironmentID)}}
	switch {
	case r.Version != "":
		attributes = append(attributes, attribute{"version", quote(r.Version)})
	default:
		attributes = append(attributes, attribute{"api_revision", fmt.Sprint(r.Revision)})
	}
	if r.Kind == service.ReviewRestore {
		attributes = append(attributes, attribute{"desired_status", `"PUBLISHED"`})
	}
	return block("dataservice_publication", r.APIName, attributes...)
}

// publishing is the configuration that publishes an API and goes on doing so.
const publishing = `resource "dataservice_publication" "example" {
  api_id         = dataservice_api.example.id
  api_revision   = dataservice_api.example.revision # a changed definition is published anew
  environment_id = dataservice_environment.example.id
  remark         = "What a reviewer should know."
}`
