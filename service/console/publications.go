// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"slices"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (c *console) publicationPages(r chi.Router) {
	r.Get("/publications", c.page("publications", c.publications))
	r.Get("/publications/{publication}", c.page("publication", c.publication))
	r.Post("/publications/{publication}/suspend", c.act("suspend", c.end(service.CallSuspend)))
	r.Post("/publications/{publication}/unpublish", c.act("unpublish", c.end(service.CallUnpublish)))
	r.Post("/publications/{publication}/restore", c.act("restore", c.restore))
	r.Post("/publications/{publication}/cancel", c.act("cancel", c.cancel))
	r.Post("/publications/{publication}/switch", c.act("switch", c.switchBack))
}

// publicationsPage is a list of what is published where.
type publicationsPage struct {
	Environments []service.Environment
	Environment  string // its id
	Statuses     []service.Status
	Status       service.Status
	Search       string
	Publications []service.Publication
	Next         string
}

// Narrowed reports whether the list is not of everything.
func (p publicationsPage) Narrowed() bool { return p.Environment+p.Search+string(p.Status) != "" }

// publications lists what is published where.
func (c *console) publications(v *visit) error {
	p := publicationsPage{Environment: v.query("environment"), Statuses: service.Statuses, Search: v.query("search")}
	if s := service.Status(v.query("status")); slices.Contains(service.Statuses, s) {
		p.Status = s
	}
	var err error
	if p.Environments, err = c.environments(v); err != nil {
		return err
	}
	l, err := c.Service.Publications(v, v.caller, lifecycle.PublicationFilter{EnvironmentID: p.Environment, Status: p.Status, Name: p.Search}, v.list())
	if err != nil {
		return err
	}
	p.Publications, p.Next = l.Items, v.next(l.Next)
	return c.show(v, "publications", "publications", "Publications", p)
}

// publicationPage is one publication.
type publicationPage struct {
	service.Publication
	Environment service.Environment
	Connection  string
	Notices     []service.Notice
	Versions    []service.Version
	// From, To and Difference are of the versions that are compared; Difference is nil before.
	From, To   string
	Difference *difference
	// Actions is what the member may do, Older the versions to switch back to.
	Actions []action
	Older   []service.Version
	Switch  action
	// Configured and Taken are the publication as Terraform has it.
	Configured, Taken string
	// Newer is the revision that the API is at, where that is not the one here and the member
	// may publish it; 0 otherwise.
	Newer   int64
	Problem *failure
	// Traffic is what became of its calls; nil where nobody knows.
	Traffic *traffic
}

// action is something to do with a publication.
type action struct {
	// Name is that of the form, Title of its section, and Button of its button.
	Name, Title, Button string
	// Says is what happens, for the reader to know before.
	Says []string
	// Timed says that a time may be given, Earliest is the earliest one.
	Timed    bool
	Earliest time.Time
	// Danger is for what takes something away.
	Danger bool
	// Terraform is the configuration that does the same; How says what to do with it.
	Terraform, How string
}

// publication shows one publication.
func (c *console) publication(v *visit) error {
	p, err := c.publicationPage(v)
	if err != nil {
		return err
	}
	return c.show(v, "publication", "publications", p.APIName+" in "+p.EnvironmentName, p)
}

func (c *console) publicationPage(v *visit) (publicationPage, error) {
	found, err := c.Service.Publication(v, v.caller, v.param("publication"), 0)
	if err != nil {
		return publicationPage{}, err
	}
	p := publicationPage{Publication: found, Configured: configured(found), Taken: taken(found)}
	if p.Environment, err = c.Service.Environment(v, v.caller, found.EnvironmentID); err != nil {
		return p, err
	}
	if found.Live != nil {
		p.Connection = c.connectionName(v, found.Live.ConnectionID)
	}
	notices, err := c.Service.Notices(v, v.caller, lifecycle.NoticeFilter{PublicationID: found.ID}, lifecycle.Page{Limit: perPage})
	if err != nil {
		return p, err
	}
	p.Notices = notices.Items
	p.Traffic = c.trafficOf(v, found)
	if p.Versions, err = c.Service.Versions(v, v.caller, found.ID); err != nil {
		return p, err
	}
	p.Actions = actionsOn(found, p.Environment, v.caller.Member, c.Service.Clock.Now())
	rights := p.Environment.Rights(v.caller.Member)
	mayPublish := rights.Publish.Way != service.WayRefused && found.Allows(service.CallPublish) && v.caller.Member.MayChange(found.PrivateTo)
	if api, err := c.Service.API(v, v.caller, found.APIID); err == nil && mayPublish && api.Revision != found.TargetRevision() {
		p.Newer = api.Revision
	}
	if mayPublish {
		p.Older = slices.DeleteFunc(slices.Clone(p.Versions), func(v service.Version) bool { return v.Live })
	}
	if len(p.Older) > 0 {
		p.Switch = action{
			Name: "switch", Title: "Switch back to an older version", Button: "Make it live again",
			Says: []string{"It answers again as it did, from the connection that it had, without a moment in between.", bySwitch(found, rights.Publish.Way)},
			How:  "In the configuration, version takes the place of api_revision.", Terraform: configured(found, attribute{"version", quote(p.Older[0].Name)}),
		}
	}
	p.From, p.To = v.query("from"), v.query("to")
	if p.From == "" || p.To == "" {
		if len(p.Versions) > 1 {
			p.From, p.To = p.Versions[1].Name, p.Versions[0].Name
		}
		return p, nil
	}
	return p, c.compareVersions(v, &p)
}

// compareVersions fills in what is different between the two versions that are asked for.
func (c *console) compareVersions(v *visit, p *publicationPage) error {
	from, err := c.Service.VersionOf(v, v.caller, p.ID, p.From)
	if err != nil {
		return err
	}
	to, err := c.Service.VersionOf(v, v.caller, p.ID, p.To)
	if err != nil {
		return err
	}
	d, err := c.differ(v, from, to)
	d.Before, d.After = from.Name, to.Name
	p.Difference = &d
	return err
}

func bySwitch(p service.Publication, way service.Way) string {
	switch {
	case way == service.WayReview:
		return "A reviewer decides on that first: this makes an application."
	case p.Status == service.StatusStopped:
		return "It stays suspended, and this is the version that a restoration brings back."
	}
	return "It happens at once."
}

// do makes a call on the publication and leads to its page.
func (c *console) do(v *visit, call func(id string) (service.Publication, error), done func(service.Publication) string) error {
	p, err := call(v.param("publication"))
	if err == nil {
		redirect(v.w, v.r, "/publications/"+p.ID+"?done="+done(p))
		return nil
	}
	if !explained(err) {
		return err
	}
	page, failed := c.publicationPage(v)
	if failed != nil {
		return err
	}
	f := failureOf(v.r, err)
	page.Problem = &f
	return c.showAs(v, statusOf(err), "publication", "publications", page.APIName+" in "+page.EnvironmentName, page)
}

// end suspends or unpublishes.
func (c *console) end(call service.Call) func(*visit) error {
	return func(v *visit) error {
		in := service.ActionInput{Time: hour(v.field("time")), Remark: v.field("remark")}
		ask := c.Service.Suspend
		if call == service.CallUnpublish {
			ask = c.Service.Unpublish
		}
		return c.do(v, func(id string) (service.Publication, error) { return ask(v, v.caller, id, in) }, func(p service.Publication) string {
			switch p.Status {
			case service.StatusStopped:
				return "suspended"
			case service.StatusOffline:
				return "unpublished"
			}
			return "end-announced"
		})
	}
}

// hour is the time that a field for dates and hours has, as the service reads it; what is
// none stays as it is, for the service to say so.
func hour(text string) string {
	at, err := time.Parse("2006-01-02T15:04", text)
	if err != nil {
		return text
	}
	return at.Format(time.RFC3339)
}

func (c *console) restore(v *visit) error {
	in := service.ActionInput{Remark: v.field("remark")}
	return c.do(v, func(id string) (service.Publication, error) { return c.Service.Restore(v, v.caller, id, in) }, func(p service.Publication) string {
		if p.Status == service.StatusPublished {
			return "restored"
		}
		return "applied-for"
	})
}

func (c *console) cancel(v *visit) error {
	in := service.ActionInput{Remark: v.field("remark")}
	return c.do(v, func(id string) (service.Publication, error) { return c.Service.Cancel(v, v.caller, id, in) },
		func(service.Publication) string { return "taken-back" })
}

// switchBack makes an older version live again.
func (c *console) switchBack(v *visit) error {
	version := v.field("version")
	return c.do(v, func(id string) (service.Publication, error) {
		p, err := c.Service.Publication(v, v.caller, id, 0)
		if err != nil {
			return p, err
		}
		return c.Service.Publish(v, v.caller, service.PublishInput{APIID: p.APIID, EnvironmentID: p.EnvironmentID, Version: version, Remark: v.field("remark")})
	}, func(p service.Publication) string {
		if p.Live != nil && p.Live.Name == version {
			return "switched"
		}
		return "applied-for"
	})
}
