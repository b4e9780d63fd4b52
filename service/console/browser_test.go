// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
)

// screenshots is the folder for pictures of each page, where anybody wants to look at them.
var screenshots = os.Getenv("DATASERVICE_TEST_SCREENSHOTS")

// browser is a real one, in front of a real service. What it complains of, a breach of the
// content security policy or an error of a script, fails the test.
type browser struct {
	t   testing.TB
	ctx context.Context
	on  *servicetest.Service

	mu         sync.Mutex
	complaints []string
}

// openBrowser starts the browser that is installed, without a window.
func openBrowser(t testing.TB, s *servicetest.Service) *browser {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		if os.Getenv("DATASERVICE_TEST_REQUIRE_SERVERS") == "1" {
			t.Fatal("no browser for this test, and DATASERVICE_TEST_REQUIRE_SERVERS=1 demands one: install chromium")
		}
		t.Skip("no browser for this test: install chromium to run it")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.WindowSize(1280, 900),
		chromedp.Flag("force-prefers-reduced-motion", true))
	allocated, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(allocated)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx, on: s}
	chromedp.ListenTarget(ctx, b.listen)
	if err := chromedp.Run(ctx, log.Enable(), runtime.Enable()); err != nil {
		t.Fatalf("the browser does not start: %v", err)
	}
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, c := range b.complaints {
			t.Errorf("the browser complains: %s", c)
		}
	})
	return b
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		// A page that tells of an error has the status of one, which is meant.
		if e.Entry.Level == log.LevelError && e.Entry.Source != log.SourceNetwork {
			b.complaints = append(b.complaints, fmt.Sprintf("%s: %s", e.Entry.URL, e.Entry.Text))
		}
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError {
			b.complaints = append(b.complaints, fmt.Sprint(e.Args))
		}
	}
}

// do runs actions in the browser.
func (b *browser) do(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatalf("in the browser: %v\n%s", err, b.text())
	}
}

// text is what the page says.
func (b *browser) text() (text string) {
	_ = chromedp.Run(b.ctx, chromedp.Evaluate(`document.body ? document.body.innerText : ""`, &text))
	return text
}

// open opens a page of the console.
func (b *browser) open(page string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.on.ControlPlane + "/console" + page))
}

// press presses the button with that text, or follows the link, and waits for the page then.
func (b *browser) press(text string) {
	b.t.Helper()
	target := fmt.Sprintf(`//*[self::button or self::a][normalize-space()=%q]`, text)
	_, err := chromedp.RunResponse(b.ctx, chromedp.Click(target, chromedp.BySearch))
	if err != nil {
		b.t.Fatalf("pressing %s: %v\n%s", text, err, b.text())
	}
}

// enter fills in the field with that label.
func (b *browser) enter(label, value string) {
	b.t.Helper()
	var id string
	b.do(chromedp.Evaluate(fmt.Sprintf(`(() => { for (const l of document.querySelectorAll("label")) if (l.textContent.trim().startsWith(%q)) return l.htmlFor; return ""; })()`, label), &id))
	if id == "" {
		b.t.Fatalf("there is no field %s:\n%s", label, b.text())
	}
	b.do(chromedp.SetValue(fmt.Sprintf("[id=%q]", id), value, chromedp.ByQuery))
}

// wants checks that the page says all of this.
func (b *browser) wants(texts ...string) {
	b.t.Helper()
	page := b.text()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			b.t.Errorf("the page does not say %q:\n%s", text, page)
		}
	}
}

// signIn signs in with the token.
func (b *browser) signIn(token string) {
	b.t.Helper()
	b.open("/sign-in")
	b.enter("Token", token)
	b.press("Sign in")
	b.wants("Catalog", "Sign out")
}

// picture keeps a picture of the page as it is on a desk and on a telephone, where anybody
// wants to look, and checks that neither is wider than the screen.
func (b *browser) picture(name string) {
	b.t.Helper()
	for _, width := range []int64{1280, 400} {
		var wide bool
		b.do(chromedp.EmulateViewport(width, 900), chromedp.Evaluate(`document.documentElement.scrollWidth > window.innerWidth`, &wide))
		if wide {
			b.t.Errorf("%s is wider than a screen of %d pixels", name, width)
		}
		if screenshots == "" {
			continue
		}
		for _, scheme := range []string{"dark", "light"} {
			var image []byte
			b.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}),
				chromedp.FullScreenshot(&image, 100))
			if err := os.WriteFile(filepath.Join(screenshots, fmt.Sprintf("%s-%s-%d.png", name, scheme, width)), image, 0o600); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	b.do(chromedp.EmulateViewport(1280, 900))
}
