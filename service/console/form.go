// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"net/http"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

const (
	// maxForm bounds what a form sends, in bytes.
	maxForm = 256 << 10
	// perPage is how many things a list shows.
	perPage = 50
)

// field is what was entered in a form.
func (v *visit) field(name string) string { return strings.TrimSpace(v.r.PostFormValue(name)) }

// list is which page of a list is looked at.
func (v *visit) list() lifecycle.Page {
	return lifecycle.Page{After: v.query("after"), Limit: perPage}
}

// next is the address of the next page of the list that is looked at; "" after the last one.
func (v *visit) next(after string) string {
	if after == "" {
		return ""
	}
	q := v.r.URL.Query()
	q.Set("after", after)
	return v.r.URL.Path + "?" + q.Encode()
}

// redirect leads to another page of the console.
func redirect(w http.ResponseWriter, r *http.Request, page string) {
	http.Redirect(w, r, Path+page, http.StatusSeeOther)
}

// acceptsPages reports whether who asks is a browser.
func acceptsPages(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}
