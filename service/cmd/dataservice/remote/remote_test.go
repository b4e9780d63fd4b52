// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const (
	reviewID      = "01a21db733f07aa886200d136597687b"
	publicationID = "01a21db733f07aa886200d136597687c"
)

// fake answers like a service, from functions by "METHOD path below the workspace".
type fake map[string]func(w http.ResponseWriter, r *http.Request)

// run runs a command line on it, and returns what was written.
func (f fake) run(ctx context.Context, t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handle, known := f[r.Method+" "+strings.TrimPrefix(r.URL.Path, "/api/v1/workspaces/default")]
		if !known {
			refuse(w, http.StatusNotFound, service.CodeNotFound, "There is no such thing.")
			return
		}
		handle(w, r)
	}))
	defer server.Close()
	t.Setenv("DATASERVICE_TOKEN", "dst_x")
	t.Setenv("DATASERVICE_TOKEN_FILE", "")
	t.Setenv("DATASERVICE_OUTPUT", "table")
	var line struct{ Commands }
	parser, err := kong.New(&line)
	if err != nil {
		t.Fatal(err)
	}
	command, err := parser.Parse(append(args, "--endpoint", server.URL, "--max-retries", "0"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	notes := &notes{}
	if cancel, ok := ctx.Value(cancelKey{}).(func()); ok {
		notes.heard = func(string) { cancel() }
	}
	command.BindTo(ctx, (*context.Context)(nil))
	command.Bind(Streams{In: strings.NewReader(""), Out: &out, Err: notes, Version: "x", pause: time.Millisecond})
	err = command.Run()
	return out.String(), notes.text.String(), err
}

type cancelKey struct{}

// notes keeps what is told on standard error, and passes it on.
type notes struct {
	mu    sync.Mutex
	text  strings.Builder
	heard func(string)
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.heard != nil {
		n.heard(string(p))
	}
	return n.text.Write(p)
}

func answer(value any) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(value)
	}
}

func items[T any](list ...T) func(http.ResponseWriter, *http.Request) {
	if list == nil {
		list = []T{}
	}
	return answer(service.List[T]{Items: list})
}

func refuse(w http.ResponseWriter, status int, code service.Code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(service.Problem{Status: status, Detail: detail, Code: code, RequestID: "r1"})
}

// inTurn answers the first time by the first function, and ever after by the last one.
func inTurn(handlers ...func(http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request) {
	var mu sync.Mutex
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		handle := handlers[min(n, len(handlers)-1)]
		n++
		mu.Unlock()
		handle(w, r)
	}
}

func breakOff(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func hold(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func review(status service.ReviewStatus) service.Review {
	return service.Review{
		ID: reviewID, PublicationID: publicationID, Kind: service.ReviewPublish, Status: status, APIName: "towns",
		EnvironmentName: "RELEASE", Revision: 2, ApplicantName: "dev", DeciderName: "rita", Comment: "No.",
	}
}

func publication(status service.Status) service.Publication {
	return service.Publication{ID: publicationID, APIName: "towns", EnvironmentName: "RELEASE", Status: status}
}

func TestAWaitThatIsInterruptedSaysWhatIsStillOpen(t *testing.T) {
	f := fake{"GET /reviews/" + reviewID: inTurn(answer(review(service.ReviewPending)), hold)}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stdout, stderr, err := f.run(context.WithValue(ctx, cancelKey{}, func() { cancel() }), t, "reviews", "wait", reviewID)
	if ExitCode(err) != ExitInterrupted || !strings.Contains(err.Error(), "It is still open.") {
		t.Errorf("it ended with %d: %v", ExitCode(err), err)
	}
	if stdout != "" || !strings.HasPrefix(stderr, "Waiting up to 1h for the decision on publishing towns in RELEASE (revision 2), which dev applied for.") {
		t.Errorf("it said %q and %q", stdout, stderr)
	}
}

func TestAWaitGoesOnWhileTheServiceIsRestarted(t *testing.T) {
	away := func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusServiceUnavailable, service.CodeUnavailable, "The store does not answer just now.")
	}
	f := fake{"GET /reviews/" + reviewID: inTurn(answer(review(service.ReviewPending)), breakOff, away, answer(review(service.ReviewPending)), answer(review(service.ReviewApproved)))}
	stdout, stderr, err := f.run(t.Context(), t, "reviews", "wait", reviewID)
	if err != nil || !strings.HasPrefix(stdout, "APPROVED: publishing towns in RELEASE (revision 2)") {
		t.Errorf("it ended with %v and said %q", err, stdout)
	}
	for _, want := range []string{"Asking again.", "Decided after"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("there is no %q in %q", want, stderr)
		}
	}
	if strings.Count(stderr, "Asking again.") != 1 {
		t.Errorf("a service that is away is told of more than once: %s", stderr)
	}
}

func TestAWaitThatEndsAtItsTimeSaysWhatItKnows(t *testing.T) {
	for says, later := range map[string]func(http.ResponseWriter, *http.Request){
		"which is still open":                       hold,
		"and the service did not answer in the end": breakOff,
	} {
		f := fake{"GET /reviews/" + reviewID: inTurn(answer(review(service.ReviewPending)), later)}
		_, _, err := f.run(t.Context(), t, "reviews", "wait", reviewID, "--timeout", "200ms")
		if ExitCode(err) != ExitTimeout || !strings.Contains(err.Error(), "Waited 200ms for the decision on publishing towns in RELEASE (revision 2) (review "+reviewID+"), "+says) {
			t.Errorf("it ended with %d: %v", ExitCode(err), err)
		}
	}
}

func TestAWaitThatIsRefusedEndsAtOnce(t *testing.T) {
	f := fake{"GET /reviews/" + reviewID: inTurn(answer(review(service.ReviewPending)), func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusUnauthorized, service.CodeUnauthenticated, "This token is revoked.")
	})}
	_, _, err := f.run(t.Context(), t, "reviews", "wait", reviewID, "--timeout", "0")
	if ExitCode(err) != ExitNotPermitted {
		t.Errorf("it ended with %d: %v", ExitCode(err), err)
	}
}

func TestHowAWaitForAReviewEnds(t *testing.T) {
	for status, want := range map[service.ReviewStatus]struct {
		exit int
		says string
	}{
		service.ReviewApproved:   {ExitOK, ""},
		service.ReviewRejected:   {ExitRejected, "rita rejected publishing towns in RELEASE (revision 2): No."},
		service.ReviewCancelled:  {ExitRejected, "was taken back"},
		service.ReviewSuperseded: {ExitRejected, "A newer application has taken the place"},
	} {
		f := fake{"GET /reviews/" + reviewID: inTurn(answer(review(service.ReviewPending)), answer(review(status)))}
		_, _, err := f.run(t.Context(), t, "reviews", "wait", reviewID)
		if ExitCode(err) != want.exit || want.says != "" && !strings.Contains(err.Error(), want.says) {
			t.Errorf("%s ends with %d: %v", status, ExitCode(err), err)
		}
	}
}

// What took the place of an application is waited for by who waits for the publication.
func TestAWaitForAPublicationFollowsANewerApplication(t *testing.T) {
	const newerID = "01a21db733f07aa886200d136597687d"
	older, newer := review(service.ReviewPending), review(service.ReviewPending)
	newer.ID = newerID
	waits, next := publication(service.StatusPublishWaitReview), publication(service.StatusPublishWaitReview)
	waits.OpenReview, next.OpenReview = &older, &newer
	approved := newer
	approved.Status = service.ReviewApproved
	f := fake{
		"GET /publications/" + publicationID: inTurn(answer(waits), answer(next), answer(publication(service.StatusPublished))),
		"GET /reviews/" + reviewID:           answer(review(service.ReviewSuperseded)),
		"GET /reviews/" + newerID:            answer(approved),
	}
	stdout, _, err := f.run(t.Context(), t, "publications", "wait", publicationID)
	if err != nil || stdout != "towns in RELEASE is PUBLISHED.\n" {
		t.Errorf("it ended with %v and said %q", err, stdout)
	}
}

func TestHowAWaitForWhatIsAnnouncedEnds(t *testing.T) {
	for name, c := range map[string]struct {
		from, to service.Status
		exit     int
	}{
		"a suspension happens":            {service.StatusWaitingStop, service.StatusStopped, ExitOK},
		"a suspension is taken back":      {service.StatusWaitingStop, service.StatusPublished, ExitRejected},
		"it goes offline":                 {service.StatusWaitingOffline, service.StatusOffline, ExitOK},
		"going offline is taken back":     {service.StatusWaitingOffline, service.StatusPublished, ExitRejected},
		"it was suspended, and stays so":  {service.StatusWaitingOffline, service.StatusStopped, ExitRejected},
		"it goes offline instead of that": {service.StatusWaitingStop, service.StatusOffline, ExitOK},
	} {
		f := fake{"GET /publications/" + publicationID: inTurn(answer(publication(c.from)), answer(publication(c.to)))}
		_, _, err := f.run(t.Context(), t, "publications", "wait", publicationID)
		if ExitCode(err) != c.exit {
			t.Errorf("%s: it ended with %d: %v", name, ExitCode(err), err)
		}
	}
}

func TestWhatGoesWrongWithTheServiceHasItsExitCode(t *testing.T) {
	for name, c := range map[string]struct {
		handle func(http.ResponseWriter, *http.Request)
		exit   int
	}{
		"a connection that breaks":    {breakOff, ExitUnreachable},
		"something else listens":      {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, ExitUnreachable},
		"an internal fault":           {func(w http.ResponseWriter, _ *http.Request) { refuse(w, 500, service.CodeInternal, "Oh.") }, ExitFailed},
		"the service asks for a rest": {func(w http.ResponseWriter, _ *http.Request) { refuse(w, 503, service.CodeOverloaded, "Later.") }, ExitUnreachable},
		"a code of a newer service":   {func(w http.ResponseWriter, _ *http.Request) { refuse(w, 409, "NOVEL", "New.") }, ExitFailed},
	} {
		_, _, err := fake{"GET /environments": c.handle}.run(t.Context(), t, "environments", "list")
		if ExitCode(err) != c.exit {
			t.Errorf("%s ends with %d: %v", name, ExitCode(err), err)
		}
	}
}

// Two instances have environments of one name: it is asked which, and nothing is guessed.
func TestANameThatSeveralThingsHaveIsAnErrorThatListsThem(t *testing.T) {
	f := fake{
		"GET /environments": items(service.Environment{ID: "e1", InstanceID: "i1", Name: "RELEASE"}, service.Environment{ID: "e2", InstanceID: "i2", Name: "RELEASE"}),
		"GET /apis/towns":   answer(service.API{ID: "a1", APISpec: service.APISpec{Name: "towns"}}),
		"GET /reviews":      items(review(service.ReviewPending), review(service.ReviewPending)),
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"publications", "show", "towns@RELEASE"}, `2 environments are named "RELEASE": say which by its id, e1 (instance i1) or e2 (instance i2).`},
		{[]string{"reviews", "approve", "towns"}, "towns has 2 open applications: say which is meant by its id"},
		{[]string{"reviews", "approve", "@RELEASE"}, `"@RELEASE" names no publication`},
	} {
		_, _, err := f.run(t.Context(), t, c.args...)
		if ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v ends with %d: %v", c.args, ExitCode(err), err)
		}
	}
}

func TestAListHasAllOfItsPages(t *testing.T) {
	f := fake{"GET /environments": func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("after") == "" {
			answer(service.List[service.Environment]{Items: []service.Environment{{ID: "e1", Name: "one"}}, Next: "n"})(w, r)
			return
		}
		items(service.Environment{ID: "e2", Name: "two"})(w, r)
	}}
	stdout, _, err := f.run(t.Context(), t, "environments", "list", "--output", "json")
	var got []service.Environment
	if err != nil || json.Unmarshal([]byte(stdout), &got) != nil || len(got) != 2 || got[1].Name != "two" {
		t.Errorf("it ended with %v and printed %s", err, stdout)
	}
}

// A remark, a comment or a SQL must not rewrite what a reviewer reads.
func TestTextsOfOthersDoNotCommandTheTerminal(t *testing.T) {
	r := review(service.ReviewPending)
	r.Remark, r.ApplicantName = "harmless\x1b[2J\x1b[1;1H", "dev\u202etpircs"
	r.Definition.Script = &service.Script{SQL: "SELECT 1 -- \x1b[8m"}
	live := publication(service.StatusPublished)
	live.Live = &service.Version{Name: "V1", Definition: service.Definition{Script: &service.Script{SQL: "SELECT 1 -- \r"}}}
	f := fake{"GET /reviews": items(r), "GET /reviews/" + reviewID: answer(r), "GET /publications/" + publicationID: answer(live)}
	for _, args := range [][]string{{"reviews", "show", reviewID}, {"reviews", "list"}} {
		stdout, _, err := f.run(t.Context(), t, args...)
		if err != nil || strings.ContainsAny(stdout, "\x1b\r\u202e") {
			t.Errorf("%v ended with %v and printed %q", args, err, stdout)
		}
		if !strings.Contains(stdout, `\u202etpircs`) {
			t.Errorf("%v does not show what is there: %q", args, stdout)
		}
	}
}

// What is live does not make up for a newer revision that was rejected.
func TestARejectionIsToldWhileAnOlderVersionIsLive(t *testing.T) {
	rejected := review(service.ReviewRejected)
	p := publication(service.StatusPublished)
	p.Live, p.Rejection = &service.Version{Name: "V1"}, &rejected
	_, _, err := fake{"GET /publications/" + publicationID: answer(p)}.run(t.Context(), t, "publications", "wait", publicationID)
	if ExitCode(err) != ExitRejected || !strings.Contains(err.Error(), "rita rejected publishing towns") {
		t.Errorf("it ended with %d: %v", ExitCode(err), err)
	}
}

func TestADefinitionThatAnEnvironmentForbidsIsValidAndAConflict(t *testing.T) {
	file := filepath.Join(t.TempDir(), "api.json")
	if err := os.WriteFile(file, []byte(`{"name": "towns"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	change := service.EnvironmentBreakingChange{EnvironmentName: "RELEASE", Version: "V1", Forbidden: true, BreakingChange: service.BreakingChange{Message: "The path is another one."}}
	f := fake{"POST /apis/validate": answer(service.Validation{Warnings: []service.FieldError{{Pointer: "/path", Message: "Odd."}}, BreakingChanges: []service.EnvironmentBreakingChange{change}, TakenPaths: []service.TakenPath{{EnvironmentName: "stage", APIName: "other"}}})}
	stdout, _, err := f.run(t.Context(), t, "apis", "validate", file)
	if ExitCode(err) != ExitConflict || !strings.Contains(err.Error(), "cannot be published in RELEASE") {
		t.Errorf("it ended with %d: %v", ExitCode(err), err)
	}
	want := "Warning: /path: Odd.\nBreaks callers of V1 in RELEASE, which forbids that: The path is another one.\nTaken: other has this method and path in stage.\ntowns is valid.\n"
	if stdout != want {
		t.Errorf("it printed %q, want %q", stdout, want)
	}
}

func TestNamesThatAreNear(t *testing.T) {
	names := []string{"list_cities", "list_towns", "capitals", "map", "Countries"}
	for ref, want := range map[string][]string{
		"list_citis": {"list_cities"},
		"LIST_TOWNS": {"list_towns"},
		"countries":  {"Countries"},
		"list":       {"list_cities", "list_towns"},
		"xyz":        nil,
		"ma":         nil,
		"":           nil,
	} {
		if got := nearNames(ref, names); !slices.Equal(got, want) {
			t.Errorf("near %q are %q, want %q", ref, got, want)
		}
	}
}

func TestATableIsCutToItsWidthAndNeverInItsIDs(t *testing.T) {
	long := strings.Repeat("ä", 50)
	columns := []column{{"ID", 0}, {"NAME", 2}, {"PATH", 1}}
	for width, want := range map[string]string{
		"80":  "ID                                NAME                                  PATH\n" + reviewID + "  " + strings.Repeat("ä", 35) + "…  " + "/one\\/t…\n",
		"200": "ID                                NAME                                                PATH\n" + reviewID + "  " + long + "  /one\\/two/three\n",
	} {
		t.Setenv("COLUMNS", width)
		var out bytes.Buffer
		if err := (terminal{Streams: Streams{Out: &out}}).table(columns, [][]string{{reviewID, long, `/one\/two/three`}}); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); got != want {
			t.Errorf("%s characters:\n%q\nwant\n%q", width, got, want)
		}
	}
}

// What is no terminal gets no colour, whatever else is said.
func TestNoColourWhereThereIsNoTerminal(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm-256color")
	stdout, _, err := fake{"GET /publications/" + publicationID: answer(publication(service.StatusPublished)), "GET /publications/" + publicationID + "/versions": items[service.Version]()}.
		run(t.Context(), t, "publications", "show", publicationID)
	if err != nil || strings.Contains(stdout, "\x1b") || !strings.Contains(stdout, "PUBLISHED") {
		t.Errorf("it ended with %v and printed %q", err, stdout)
	}
	if got := paint("PUBLISHED"); got != "\x1b[32mPUBLISHED\x1b[0m" {
		t.Errorf("at a terminal it is %q", got)
	}
}

func TestWordsOfFlagsAreThoseOfTheDomain(t *testing.T) {
	for _, choices := range []Chooser{statusFlag(""), reviewStatusFlag(""), reviewKindFlag(""), modeFlag(""), visibilityFlag(""), debugStatusFlag(""), noticeStatusFlag(""), noticeKindFlag("")} {
		if len(choices.Choices()) == 0 {
			t.Errorf("%T has no choices", choices)
		}
	}
	var status statusFlag
	if err := status.UnmarshalText([]byte("waiting_stop")); err != nil || status != statusFlag(service.StatusWaitingStop) {
		t.Errorf("it is %q, %v", status, err)
	}
}

func TestEveryCodeOfTheServiceHasItsExitCode(t *testing.T) {
	for _, code := range service.Codes {
		i := slices.IndexFunc(Exits, func(e Exit) bool { return slices.Contains(e.Codes, code) })
		got := ExitCode(&client.Error{Status: 400, Problem: &service.Problem{Code: code}})
		if i < 0 && got != ExitFailed || i >= 0 && got != Exits[i].Code {
			t.Errorf("%s ends with %d", code, got)
		}
	}
	if got := ExitCode(errors.New("of this machine")); got != ExitFailed {
		t.Errorf("a failure of this machine ends with %d", got)
	}
}
