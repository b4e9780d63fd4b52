// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	// apisOfConsole is how many APIs are published when the console's pages are measured.
	apisOfConsole = 1000
	// visitsOfPage is how often each page is asked for.
	visitsOfPage = 20

	// The marks of a page: its size, and how long the service takes for it.
	largestPage = 100 << 10
	slowestPage = 50 * time.Millisecond
)

// measureConsole measures each page of the console with a thousand APIs published: how
// large it is and how long it takes, as a browser on this machine asks for it. It walks
// from link to link, and looks at one page of each kind.
func (b *bench) measureConsole(ctx context.Context, name string) error {
	dsn, err := b.database(ctx, "sqlite")
	if err != nil {
		return err
	}
	o, err := b.startOurs(ctx, name)
	if err != nil {
		return err
	}
	defer o.stop()
	connectionID, err := o.connection(ctx, "sqlite", dsn)
	if err != nil {
		return err
	}
	for i := range apisOfConsole {
		d := rowDefinition(connectionID)
		d.Path = fmt.Sprintf("/bench/console/%d", i)
		if err := o.publish(ctx, fmt.Sprintf("console_%d", i), d, map[string]string{"id": "1"}); err != nil {
			return err
		}
	}
	v, err := o.visit(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\n%s: each kind of page, with %d APIs published, %d visits\n", name, apisOfConsole, visitsOfPage)
	fmt.Printf("  %-58s %9s %10s %10s\n", "page", "KB", "p50", "slowest")
	ahead, seen := []string{"/console/catalog"}, map[string]bool{}
	for len(ahead) > 0 {
		page := ahead[0]
		ahead = ahead[1:]
		kind := kindOfPage(page)
		if seen[kind] {
			continue
		}
		seen[kind] = true
		links, err := v.measure(ctx, page, kind)
		if err != nil {
			return fmt.Errorf("%s: %w", page, err)
		}
		ahead = append(ahead, links...)
	}
	return nil
}

// visitor is somebody who is signed in to the console.
type visitor struct {
	endpoint string
	http.Client
}

// visit signs in.
func (o *ours) visit(ctx context.Context) (*visitor, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	v := &visitor{o.client.Endpoint(), http.Client{Jar: jar}}
	form := url.Values{"token": {o.token}, "next": {"/console/catalog"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.endpoint+"/console/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := v.Do(req)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("signing in to the console answers %s", resp.Status)
	}
	return v, nil
}

// measure visits a page, and returns the pages that it links to.
func (v *visitor) measure(ctx context.Context, page, kind string) (links []string, err error) {
	var (
		body string
		took []time.Duration
	)
	for range visitsOfPage {
		began := time.Now()
		if body, err = v.get(ctx, page); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	mark := ""
	// Documents, exports and the viewer's own files are as large as what they are of.
	if strings.HasPrefix(body, "<!doctype html>") && (len(body) > largestPage || median(took) > slowestPage) {
		mark = "  more than its mark"
	}
	fmt.Printf("  %-58s %9.1f %10s %10s%s\n", kind, float64(len(body))/1024, median(took).Round(10*time.Microsecond), took[len(took)-1].Round(10*time.Microsecond), mark)
	for _, link := range linkInPage.FindAllStringSubmatch(body, -1) {
		links = append(links, html.UnescapeString(link[1]))
	}
	return links, nil
}

func (v *visitor) get(ctx context.Context, page string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.endpoint+page, nil)
	if err != nil {
		return "", err
	}
	resp, err := v.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New("it answers " + resp.Status)
	}
	return string(body), err
}

var (
	linkInPage = regexp.MustCompile(`href="(/console/[^"#]*)"`)
	idInPath   = regexp.MustCompile(`[0-9a-f]{32}|DEFAULT_ENVIRONMENT_RELEASE_ID|[0-9]+`)
)

// kindOfPage is the address without the ids of what the page is about, and without values
// of what it is asked for.
func kindOfPage(page string) string {
	path, query, _ := strings.Cut(page, "?")
	path = idInPath.ReplaceAllString(path, "…")
	values, err := url.ParseQuery(query)
	if err != nil || len(values) == 0 || strings.Contains(path, "/static/") {
		return path
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	return path + "?" + strings.Join(names, "&")
}
