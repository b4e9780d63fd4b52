// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"net/http"
	"strconv"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// refusal is why what was entered in a form was refused; embedded in what the form's page
// shows.
type refusal struct{ Problem *failure }

func (r *refusal) refuse(f failure) { r.Problem = &f }

// showAgain shows a form with what was entered in it, and why that was refused. What is no
// refusal stays an error.
func (c *console) showAgain(v *visit, err error, name, section, title string, form interface{ refuse(f failure) }) error {
	status := statusOf(err)
	if status >= http.StatusInternalServerError {
		return err
	}
	wire.CallOf(v).Note("", err)
	form.refuse(failureOf(v.r, err))
	return c.showAs(v, status, name, section, title, form)
}

// The layouts of a time that is entered: what a browser's field sends.
var enteredTimes = []string{"2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339}

// parseTime reads a time that was entered, in UTC where it does not say otherwise; nil for
// none.
func parseTime(name, text string) (*time.Time, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // No time is no error.
	}
	for _, layout := range enteredTimes {
		if t, err := time.Parse(layout, text); err == nil {
			t = t.UTC()
			return &t, nil
		}
	}
	var i service.Invalid
	i.Addf("/"+name, "%q is not a time: write it as in 2026-11-27T18:00, in UTC.", text)
	return nil, i.Err("The form")
}

// number reads a whole number that was entered; what is absent is the one otherwise.
func (v *visit) number(name string, otherwise int) (int, error) {
	text := v.field(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		var i service.Invalid
		i.Addf("/"+name, "%q is not a whole number.", text)
		return 0, i.Err("The form")
	}
	return n, nil
}
