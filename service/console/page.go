// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed static
var staticFiles embed.FS

// policy lets a page load the console's own styles and script, send forms to the console,
// and nothing else. Nobody may frame it.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guarded sends what keeps a page safe.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("X-Frame-Options", "DENY")
		// A form's origin would be null with no-referrer.
		h.Set("Referrer-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// pages are the templates, each with the layout, by the names of their files.
type pages map[string]*template.Template

// parsePages reads the pages; one that cannot be read is a fault of the program.
func parsePages() pages {
	layout := template.Must(template.New("layout").Funcs(functions).ParseFS(pageFiles, "pages/layout.html", "pages/part_*.html"))
	files, err := fs.Glob(pageFiles, "pages/*.html")
	if err != nil {
		panic(err)
	}
	all := pages{}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || strings.HasPrefix(name, "part_") {
			continue
		}
		all[strings.ReplaceAll(name, "_", "-")] = template.Must(template.Must(layout.Clone()).ParseFS(pageFiles, file))
	}
	return all
}

// functions are what templates call.
var functions = template.FuncMap{
	"asset":   asset,
	"begins":  beginning,
	"console": func(parts ...string) string { return Path + strings.Join(parts, "") },
	"dict":    dict,
	"first":   firstBreaking,
	"p50":     p50,
	"p99":     p99,
	"rest":    restOfBreaking,
	"took":    took,
	"viewer":  viewerAsset,
	"when":    when,
	"words":   words,
}

// frame is what is around each page.
type frame struct {
	Title string
	// Section is the part of the console that the page belongs to.
	Section string
	// Member and Workspace are of who signed in; FormKey goes with each form.
	Member    service.Member
	Workspace service.Workspace
	FormKey   string
	// Done says what has just happened.
	Done string
}

// SignedIn reports whether anybody is.
func (f frame) SignedIn() bool { return f.FormKey != "" }

// May reports whether the member may do it, so that a page does not offer what is refused.
func (f frame) May(operation string) bool { return f.Member.May(service.Operation(operation)) }

// show answers with a page for who signed in.
func (c *console) show(v *visit, name, section, title string, data any) error {
	return c.showAs(v, http.StatusOK, name, section, title, data)
}

func (c *console) showAs(v *visit, status int, name, section, title string, data any) error {
	c.write(v.w, v.r, status, name, frame{
		Title: title, Section: section, Member: v.caller.Member, Workspace: v.caller.Workspace, FormKey: v.formKey, Done: done[v.query("done")],
	}, data)
	return nil
}

// done are the sentences that say what has just happened, by the word in the address.
var done = map[string]string{ //nolint:gosec // Sentences are no credentials.
	"approved":           "It is approved, and has taken effect.",
	"rejected":           "It is rejected. The applicant is shown the reason.",
	"review-cancelled":   "The application is taken back.",
	"suspended":          "It is suspended: calls are refused until it is restored.",
	"unpublished":        "It is offline.",
	"end-announced":      "It is announced. The apps are told, and it happens when all have confirmed, or at the deadline.",
	"restored":           "It answers calls again.",
	"applied-for":        "It is applied for: a reviewer decides.",
	"taken-back":         "It is taken back.",
	"switched":           "That version is live again.",
	"app-created":        "The app is made. Apply for what it is to call.",
	"app-changed":        "The app is changed.",
	"app-deleted":        "The app is deleted, and all that it might call has ended.",
	"app-rotated":        "The app has a new secret and a new AppCode.",
	"delivery-again":     "It is sent again.",
	"authorized":         "The app may call it.",
	"applied":            "It is applied for: a reviewer decides.",
	"withdrawn":          "That is taken back.",
	"given-up":           "The app may call it no more.",
	"announced":          "The end is announced to the app.",
	"confirmed":          "It is confirmed.",
	"scheduled":          "It will be confirmed at that time.",
	"member-created":     "The member is made. Issue a token for it, with which it signs in.",
	"member-changed":     "The member is changed.",
	"member-removed":     "The member is removed: its tokens open nothing any more.",
	"access-key-deleted": "The access key is revoked: nothing that is signed with it is accepted any more.",
	"token-revoked":      "The token is revoked: it opens nothing any more.",
}

// write writes a page. It is whole before the first byte is sent.
func (c *console) write(w http.ResponseWriter, r *http.Request, status int, name string, f frame, data any) {
	var page bytes.Buffer
	err := c.pages()[name].ExecuteTemplate(&page, "layout", struct {
		frame
		Data any
	}{f, data})
	if err != nil {
		wire.CallOf(r.Context()).Note("console-"+name, fmt.Errorf("writing the page %s: %w", name, err))
		http.Error(w, "The service failed to write this page. Its log says why under the request id "+wire.CallOf(r.Context()).RequestID()+".", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // who asked is gone where this fails
}

// failure is what a page that tells of an error shows.
type failure struct {
	Sentence  string
	Fields    []service.FieldError
	Code      service.Code
	RequestID string
}

// showError tells who signed in of an error.
func (c *console) showError(v *visit, err error) {
	c.write(v.w, v.r, statusOf(err), "error", frame{
		Title: "This did not work", Member: v.caller.Member, Workspace: v.caller.Workspace, FormKey: v.formKey,
	}, failureOf(v.r, err))
}

// showErrorTo tells anybody.
func (c *console) showErrorTo(w http.ResponseWriter, r *http.Request, err error) {
	c.write(w, r, statusOf(err), "error", frame{Title: "This did not work"}, failureOf(r, err))
}

func failureOf(r *http.Request, err error) failure {
	f := failure{Sentence: sentence(err), Code: service.ErrorCode(err), RequestID: wire.CallOf(r.Context()).RequestID()}
	var e *service.Error
	if errors.As(err, &e) {
		f.Sentence, f.Fields = e.Message, e.Fields
	}
	return f
}

func (c *console) panicked(w http.ResponseWriter, r *http.Request) {
	c.showErrorTo(w, r, errors.New("panic"))
}

func (c *console) noSuchPage(w http.ResponseWriter, r *http.Request) {
	err := service.Errorf(service.CodeNotFound, "There is no such page.")
	wire.CallOf(r.Context()).Note("console", err)
	c.showErrorTo(w, r, err)
}

// sentence is what a person is told of an error.
func sentence(err error) string {
	var e *service.Error
	if errors.As(err, &e) {
		return e.Error()
	}
	return "The service failed to answer. Its log says why under the request id."
}

// statusOf is the HTTP status of a page that tells of an error. Its code says more.
func statusOf(err error) int {
	switch service.ErrorCode(err) {
	case service.CodeUnauthenticated:
		return http.StatusUnauthorized
	case service.CodeForbidden:
		return http.StatusForbidden
	case service.CodeNotFound:
		return http.StatusNotFound
	case service.CodeMalformed:
		return http.StatusBadRequest
	case service.CodeRateLimited:
		return http.StatusTooManyRequests
	case service.CodeUnavailable, service.CodeOverloaded:
		return http.StatusServiceUnavailable
	case service.CodeInvalid, service.CodeDebugFailed:
		return http.StatusUnprocessableEntity
	case service.CodeInternal, "":
		return http.StatusInternalServerError
	default:
		return http.StatusConflict
	}
}

// asset is the address of a file that may be kept for long: another content has another one.
func asset(name string) (string, error) {
	data, err := staticFiles.ReadFile("static/" + name)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return Path + "/static/" + name + "?v=" + hex.EncodeToString(sum[:6]), nil
}

func serveStatic(w http.ResponseWriter, r *http.Request) {
	name := "static/" + chi.URLParam(r, "file")
	if _, err := fs.Stat(staticFiles, name); err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeFileFS(w, r, staticFiles, name)
}

// when writes a time for people and, in its title, to the second.
func when(at any) template.HTML {
	var t time.Time
	switch at := at.(type) {
	case time.Time:
		t = at
	case *time.Time:
		if at == nil {
			return ""
		}
		t = *at
	}
	t = t.UTC()
	return template.HTML(fmt.Sprintf(`<time datetime="%s">%s UTC</time>`, t.Format(time.RFC3339), t.Format("2006-01-02 15:04"))) //nolint:gosec // A time has no markup.
}

// dict makes what a part of a page is given more than one value by.
func dict(pairs ...any) (map[string]any, error) {
	values := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("%v is not the name of a value", pairs[i])
		}
		values[name] = pairs[i+1]
	}
	return values, nil
}

// firstBreaking are the breaking changes that a page tells of.
func firstBreaking(all []service.BreakingChange) []service.BreakingChange {
	return all[:min(len(all), shownBreaking)]
}

// restOfBreaking is how many more there are.
func restOfBreaking(all []service.BreakingChange) int { return max(0, len(all)-shownBreaking) }

// words writes an enumeration's value for people: WAITING_STOP is "waiting stop".
func words(value any) string {
	return strings.ToLower(strings.ReplaceAll(fmt.Sprint(value), "_", " "))
}
