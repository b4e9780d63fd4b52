// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// publicationsCommand is about what is live where.
type publicationsCommand struct {
	List      publicationsListCommand      `cmd:"" help:"List publications: what is where."`
	Show      publicationsShowCommand      `cmd:"" help:"Show a publication: what is live, what is open, and its versions."`
	Publish   publicationsPublishCommand   `cmd:"" help:"Publish a revision of an API, or apply for that."`
	Batch     publicationsBatchCommand     `cmd:"" help:"Publish several APIs, each by itself."`
	Switch    publicationsSwitchCommand    `cmd:"" help:"Make an older version live again, or apply for that."`
	Suspend   publicationsSuspendCommand   `cmd:"" help:"Stop the calls of an API; where apps are authorized, after a notice."`
	Restore   publicationsRestoreCommand   `cmd:"" help:"Bring a suspended API back, or apply for that."`
	Unpublish publicationsUnpublishCommand `cmd:"" help:"Take an API offline; where apps are authorized, after a notice."`
	Cancel    publicationsCancelCommand    `cmd:"" help:"Take back the open application, or what is announced."`
	Wait      publicationsWaitCommand      `cmd:"" help:"Wait until nothing is open any more: no application, and nothing that is announced."`
	Compare   publicationsCompareCommand   `cmd:"" help:"Tell what is different between two versions."`
}

// onePublication names a publication.
type onePublication struct {
	caller
	Publication string `arg:"" help:"Id, name of the API, or API@ENVIRONMENT."`
	Environment string `short:"e" help:"Environment where it is: id or name; may be left out where the API is in one alone." placeholder:"REF"`
}

// open finds the publication that the command is about.
func (o onePublication) open(ctx context.Context, s Streams) (terminal, service.Publication, error) {
	t, err := o.caller.open(s)
	if err != nil {
		return t, service.Publication{}, err
	}
	p, err := t.findPublication(ctx, o.Publication, o.Environment)
	return t, p, err
}

type publicationsListCommand struct {
	caller
	Environment string     `short:"e" help:"Those in this environment: id or name." placeholder:"REF"`
	API         string     `name:"api" help:"Those of this API: id, number or name." placeholder:"REF"`
	Status      statusFlag `help:"Those with this status, such as PUBLISHED or STOPPED." placeholder:"STATUS"`
}

// Run prints publications.
func (c publicationsListCommand) Run(ctx context.Context, s Streams) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	filter := client.PublicationFilter{Status: service.Status(c.Status)}
	if filter.EnvironmentID, err = t.environmentID(ctx, c.Environment); err != nil {
		return err
	}
	if filter.APIID, err = t.apiID(ctx, c.API); err != nil {
		return err
	}
	all, err := client.All(ctx, func(ctx context.Context, p client.Page) (service.List[service.Publication], error) {
		return t.Publications(ctx, filter, p)
	})
	if err != nil {
		return err
	}
	return t.print(list(all), func() error { return t.publications(all) })
}

func (t terminal) publications(all []service.Publication) error {
	var rows [][]string
	for _, p := range all {
		version, revision := "-", "-"
		if p.Live != nil {
			version, revision = p.Live.Name, number(p.Live.Revision)
		}
		open := ""
		switch {
		case p.Deadline != nil:
			open = minute(*p.Deadline)
		case p.OpenReview != nil:
			open = "review"
		}
		rows = append(rows, []string{p.APIName, p.EnvironmentName, string(p.Status), version, revision, open})
	}
	return t.table([]column{{"API", 2}, {"ENV", 1}, {"STATUS", 0}, {"LIVE", 0}, {"REV", 0}, {"OPEN", 0}}, rows)
}

type publicationsShowCommand struct {
	onePublication
}

// shownPublication is what show prints as JSON.
type shownPublication struct {
	Publication service.Publication `json:"publication"`
	Versions    []service.Version   `json:"versions"`
	Notices     []service.Notice    `json:"notices"`
}

// Run prints a publication.
func (c publicationsShowCommand) Run(ctx context.Context, s Streams) error {
	t, p, err := c.open(ctx, s)
	if err != nil {
		return err
	}
	shown := shownPublication{Publication: p}
	if shown.Versions, err = t.Versions(ctx, p.ID); err != nil {
		return err
	}
	if p.Status == service.StatusWaitingStop || p.Status == service.StatusWaitingOffline {
		shown.Notices, err = client.All(ctx, func(ctx context.Context, page client.Page) (service.List[service.Notice], error) {
			return t.Notices(ctx, client.NoticeFilter{PublicationID: p.ID, Status: service.NoticeOpen}, page)
		})
		if err != nil {
			return err
		}
	}
	shown.Versions, shown.Notices = list(shown.Versions), list(shown.Notices)
	return t.print(shown, func() error {
		if err := t.publication(p); err != nil {
			return err
		}
		if len(shown.Versions) > 0 {
			if err := t.sayf(""); err != nil {
				return err
			}
			if err := t.versions(shown.Versions); err != nil {
				return err
			}
		}
		if len(shown.Notices) > 0 {
			if err := t.sayf("\nNot confirmed yet:"); err != nil {
				return err
			}
			return t.notices(shown.Notices)
		}
		return nil
	})
}

// publication writes the facts of one.
func (t terminal) publication(p service.Publication) error {
	live, review, rejected := "nothing", "", ""
	if p.Live != nil {
		live = fmt.Sprintf("%s, revision %d, since %s", p.Live.Name, p.Live.Revision, by(p.Live.LiveBy, p.Live.LiveSince))
	}
	if r := p.OpenReview; r != nil {
		review = fmt.Sprintf("%s for %s, applied for %s", r.ID, asked(*r), by(r.ApplicantName, r.CreatedAt))
	}
	if r := p.Rejection; r != nil {
		rejected = fmt.Sprintf("%s, by %s: %s", asked(*r), r.DeciderName, r.Comment)
	}
	return t.facts(
		"Publication", p.ID, "API", p.APIName, "Environment", p.EnvironmentName, "Status", string(p.Status), "Live", live,
		"Address", p.URL, "Ends", atOrNever(p.Deadline), "Open review", review, "Rejected", rejected,
		"Authorized apps", fmt.Sprint(p.AuthorizedApps), "Changed", at(p.UpdatedAt))
}

func (t terminal) versions(all []service.Version) error {
	var rows [][]string
	for _, v := range all {
		live := ""
		if v.Live {
			live = "live"
		}
		rows = append(rows, []string{v.Name, number(v.Revision), live, minute(v.CreatedAt), v.CreatedBy, v.Remark})
	}
	return t.table([]column{{"VERSION", 0}, {"REV", 0}, {"", 0}, {"PUBLISHED", 0}, {"BY", 1}, {"REMARK", 1}}, rows)
}

// place names a publication: "list_cities in RELEASE".
func place(p service.Publication) string { return p.APIName + " in " + p.EnvironmentName }

// done reports what became of a request: the publication, or what is waited for.
func (t terminal) done(p service.Publication) error {
	t.tellLagging(p)
	return t.print(p, func() error {
		if p.Note != "" {
			t.notef("%s", p.Note)
		}
		switch {
		case p.OpenReview != nil:
			return t.sayf("%s is %s. Review %s waits for a decision on %s.", place(p), p.Status, p.OpenReview.ID, asked(*p.OpenReview))
		case p.Deadline != nil:
			return t.sayf("%s is %s, and ends at %s at the latest.", place(p), p.Status, atOrNever(p.Deadline))
		case p.Live != nil:
			return t.sayf("%s is %s: version %s, revision %d.", place(p), p.Status, p.Live.Name, p.Live.Revision)
		}
		return t.sayf("%s is %s.", place(p), p.Status)
	})
}

// application is the part of a command that may have to be decided by somebody else.
type application struct {
	Remark string `short:"m" help:"What the reviewers are told, and what stays with the version." placeholder:"TEXT"`
	Wait   bool   `short:"w" help:"Where a review is needed, wait for the decision."`
	Patience
}

// follow waits for the decision where that is asked for, and reports.
func (a application) follow(ctx context.Context, t terminal, p service.Publication, err error) error {
	if err != nil {
		return err
	}
	if a.Wait && p.OpenReview != nil {
		if p, err = t.awaitPublication(ctx, a.Patience, p); err != nil {
			return err
		}
	}
	return t.done(p)
}

type publicationsPublishCommand struct {
	caller
	API         string `arg:"" name:"api" help:"API: id, number or name; or API@ENVIRONMENT."`
	Environment string `short:"e" help:"Environment: id or name; RELEASE of the default instance where absent." placeholder:"REF"`
	Revision    int64  `help:"Revision to publish; the newest where absent." placeholder:"N"`
	Connection  string `help:"Read from this connection in place of the API's own: id, number or name." placeholder:"REF"`
	application
}

// Run asks to publish.
func (c publicationsPublishCommand) Run(ctx context.Context, s Streams) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	if c.Revision < 0 {
		return usage("--revision=%d is not a revision: they count from 1.", c.Revision)
	}
	in, err := t.toPublish(ctx, c.API, c.Environment)
	if err != nil {
		return err
	}
	if c.Revision > 0 {
		in.Revision = c.Revision
	}
	if c.Connection != "" {
		connection, err := t.findConnection(ctx, c.Connection)
		if err != nil {
			return err
		}
		in.ConnectionID = connection.ID
	}
	in.Remark = c.Remark
	p, err := t.Client.Publish(ctx, in, client.AwaitGateways())
	return c.follow(ctx, t, p, err)
}

// toPublish says what publishes the newest revision of the API.
func (t terminal) toPublish(ctx context.Context, ref, environment string) (service.PublishInput, error) {
	name, environment, err := splitRef(ref, environment)
	if err != nil {
		return service.PublishInput{}, err
	}
	environmentID, err := t.environmentID(ctx, environment)
	if err != nil {
		return service.PublishInput{}, err
	}
	api, err := t.findAPI(ctx, name)
	return service.PublishInput{APIID: api.ID, EnvironmentID: environmentID, Revision: api.Revision}, err
}

type publicationsBatchCommand struct {
	caller
	APIs        []string `arg:"" name:"api" optional:"" help:"APIs: ids, numbers or names; or API@ENVIRONMENT."`
	Environment string   `short:"e" help:"Environment: id or name; RELEASE of the default instance where absent." placeholder:"REF"`
	File        string   `short:"f" help:"JSON file with what to publish, as POST /publications/batch takes it; - for standard input. In place of APIs." placeholder:"FILE"`
	Remark      string   `short:"m" help:"What the reviewers are told, and what stays with the versions." placeholder:"TEXT"`
}

// Run asks to publish all of them, and fails where one is refused.
func (c publicationsBatchCommand) Run(ctx context.Context, s Streams) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	items, err := c.items(ctx, t)
	if err != nil {
		return err
	}
	var outcomes []service.PublishOutcome
	for part := range slices.Chunk(items, service.MaxBatch) {
		done, err := t.PublishBatch(ctx, service.PublishBatchInput{Items: part}, client.AwaitGateways())
		if err != nil {
			if len(outcomes) > 0 {
				t.notef("%d of %d items were done or refused before this: see `dataservice publications list`.", len(outcomes), len(items))
			}
			return err
		}
		outcomes = append(outcomes, done...)
	}
	refused := 0
	var rows [][]string
	for i, o := range outcomes {
		switch {
		case o.Error != nil:
			refused++
			rows = append(rows, []string{c.name(i, items), "refused", o.Error.Detail})
		case o.Publication != nil:
			t.tellLagging(*o.Publication)
			what := ""
			if r := o.Publication.OpenReview; r != nil {
				what = "review " + r.ID
			} else if v := o.Publication.Live; v != nil {
				what = fmt.Sprintf("%s, revision %d", v.Name, v.Revision)
			}
			rows = append(rows, []string{place(*o.Publication), string(o.Publication.Status), what})
		}
	}
	err = t.print(list(outcomes), func() error { return t.table([]column{{"WHAT", 2}, {"STATUS", 0}, {"", 1}}, rows) })
	if err == nil && refused > 0 {
		err = &failure{exit: ExitFailed, message: fmt.Sprintf("%d of %s refused: %s", refused, count(len(outcomes), "item"), reasons(outcomes))}
	}
	return err
}

// reasons are the sentences of what was refused, each once.
func reasons(outcomes []service.PublishOutcome) string {
	var all []string
	for _, o := range outcomes {
		if o.Error != nil && !slices.Contains(all, o.Error.Error()) {
			all = append(all, o.Error.Error())
		}
	}
	return strings.Join(all, " ")
}

func (c publicationsBatchCommand) name(i int, items []service.PublishInput) string {
	if i < len(c.APIs) {
		return c.APIs[i]
	}
	return items[i].APIID
}

func (c publicationsBatchCommand) items(ctx context.Context, t terminal) ([]service.PublishInput, error) {
	switch {
	case c.File != "" && (len(c.APIs) > 0 || c.Environment != "" || c.Remark != ""):
		return nil, usage("--file says what to publish: leave APIs, --environment and --remark out.")
	case c.File != "":
		var in service.PublishBatchInput
		if err := t.readJSON(c.File, &in); err != nil {
			return nil, err
		}
		if len(in.Items) == 0 {
			return nil, usage("%s has nothing to publish: give it an object with items.", c.File)
		}
		return in.Items, nil
	case len(c.APIs) == 0:
		return nil, usage("There is nothing to publish: name APIs, or a --file.")
	}
	var items []service.PublishInput
	for _, ref := range c.APIs {
		in, err := t.toPublish(ctx, ref, c.Environment)
		if err != nil {
			return nil, err
		}
		in.Remark = c.Remark
		items = append(items, in)
	}
	return items, nil
}

// readJSON reads one JSON value from a file, or from standard input; fields that do not
// exist are refused.
func (t terminal) readJSON(file string, into any) error {
	in := t.In
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			var pathError *os.PathError
			if errors.As(err, &pathError) {
				err = pathError.Err
			}
			return usage("Cannot read %s: %s.", file, err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return usage("%s is not what this command takes: %s.", file, strings.TrimPrefix(err.Error(), "json: "))
	}
	if decoder.More() {
		return usage("%s has more than one JSON value.", file)
	}
	return nil
}

type publicationsSwitchCommand struct {
	onePublication
	Version string `arg:"" help:"Version to make live again, such as V3."`
	application
}

// Run asks to make the version live again.
func (c publicationsSwitchCommand) Run(ctx context.Context, s Streams) error {
	t, p, err := c.open(ctx, s)
	if err != nil {
		return err
	}
	version, err := t.findVersion(ctx, p, c.Version)
	if err != nil {
		return err
	}
	p, err = t.Client.Publish(ctx, service.PublishInput{APIID: p.APIID, EnvironmentID: p.EnvironmentID, Version: version.Name, Remark: c.Remark}, client.AwaitGateways())
	return c.follow(ctx, t, p, err)
}

// findVersion returns the version of the publication with that name.
func (t terminal) findVersion(ctx context.Context, p service.Publication, name string) (service.Version, error) {
	all, err := t.Versions(ctx, p.ID)
	if err != nil {
		return service.Version{}, err
	}
	var names []string
	for _, v := range all {
		if strings.EqualFold(v.Name, name) {
			return v, nil
		}
		names = append(names, v.Name)
	}
	if len(names) == 0 {
		return service.Version{}, &failure{exit: ExitNotFound, message: fmt.Sprintf("%s has no versions yet.", place(p))}
	}
	return service.Version{}, &failure{exit: ExitNotFound, message: fmt.Sprintf("%s has no version %q. It has %s.", place(p), name, strings.Join(names, ", "))}
}

type publicationsRestoreCommand struct {
	onePublication
	application
}

// Run asks to restore.
func (c publicationsRestoreCommand) Run(ctx context.Context, s Streams) error {
	t, p, err := c.open(ctx, s)
	if err != nil {
		return err
	}
	p, err = t.Client.Restore(ctx, p.ID, service.ActionInput{Remark: c.Remark}, client.AwaitGateways())
	return c.follow(ctx, t, p, err)
}

type publicationsCancelCommand struct {
	onePublication
	Remark string `short:"m" help:"Why, for the audit trail." placeholder:"TEXT"`
}

// Run takes back what is open.
func (c publicationsCancelCommand) Run(ctx context.Context, s Streams) error {
	t, p, err := c.open(ctx, s)
	if err != nil {
		return err
	}
	if p, err = t.Client.Cancel(ctx, p.ID, service.ActionInput{Remark: c.Remark}, client.AwaitGateways()); err != nil {
		return err
	}
	return t.done(p)
}

type publicationsWaitCommand struct {
	onePublication
	Patience
}

// Run waits, and prints what the publication has become.
func (c publicationsWaitCommand) Run(ctx context.Context, s Streams) error {
	t, p, err := c.open(ctx, s)
	if err != nil {
		return err
	}
	if p, err = t.awaitPublication(ctx, c.Patience, p); err != nil {
		return err
	}
	return t.done(p)
}

type publicationsCompareCommand struct {
	onePublication
	From string `arg:"" help:"Version before, such as V1."`
	To   string `arg:"" help:"Version after, such as V2."`
}

// Run prints the differences.
func (c publicationsCompareCommand) Run(ctx context.Context, s Streams) error {
	t, p, err := c.open(ctx, s)
	if err != nil {
		return err
	}
	from, err := t.findVersion(ctx, p, c.From)
	if err != nil {
		return err
	}
	to, err := t.findVersion(ctx, p, c.To)
	if err != nil {
		return err
	}
	comparison, err := t.CompareVersions(ctx, p.ID, from.Name, to.Name)
	if err != nil {
		return err
	}
	return t.print(comparison, func() error { return t.comparison(comparison) })
}

// comparison writes differences and what they break.
func (t terminal) comparison(c service.Comparison) error {
	if len(c.Differences) == 0 {
		if err := t.sayf("The definition of %s is that of %s.", c.To, c.From); err != nil {
			return err
		}
	}
	for _, d := range c.Differences {
		if err := t.difference(d); err != nil {
			return err
		}
	}
	return t.breaking(c.BreakingChanges)
}

// difference writes what a field was and what it is, line by line where it is long.
func (t terminal) difference(d service.Difference) error {
	if err := t.sayf("%s", d.Pointer); err != nil {
		return err
	}
	for _, side := range []struct {
		sign  string
		value any
	}{{"-", d.Before}, {"+", d.After}} {
		if side.value == nil {
			continue
		}
		text, isText := side.value.(string)
		if !isText {
			data, err := json.MarshalIndent(side.value, "", "  ")
			if err != nil {
				return err
			}
			text = string(data)
		}
		for line := range strings.Lines(text) {
			if err := t.sayf("  %s %s", side.sign, strings.TrimRight(line, "\r\n")); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t terminal) breaking(changes []service.BreakingChange) error {
	if len(changes) == 0 {
		return nil
	}
	if err := t.sayf("\nThis breaks callers:"); err != nil {
		return err
	}
	for _, b := range changes {
		if err := t.sayf("  %s: %s", b.Kind, b.Message); err != nil {
			return err
		}
	}
	return nil
}
