// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package accesslog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// patience bounds every waiting.
const patience = 30 * time.Second

func opened(t *testing.T, o Options) *Log {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close(context.Background()) })
	return l
}

func linesOf(t *testing.T, text string) (lines []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%q is no JSON: %v", line, err)
		}
		lines = append(lines, fields)
	}
	return lines
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// whole is a line with all that there can be.
func whole(t *testing.T) Line {
	t.Helper()
	l := Line{Time: time.Date(2026, 3, 1, 10, 0, 0, 7e6, time.FixedZone("", 3600)), Client: netip.MustParseAddr("192.0.2.1"), Aborted: true}
	v := reflect.ValueOf(&l).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case !f.CanSet():
		case f.Kind() == reflect.String:
			f.SetString("text")
		case f.Kind() == reflect.Int || f.Kind() == reflect.Int64:
			f.SetInt(1234567)
		}
	}
	l.SetUpstream(1500 * time.Microsecond)
	return l
}

func TestALineHasTheFieldsThatTheGuideTells(t *testing.T) {
	l := whole(t)
	text := string(l.append(nil))
	decoder := json.NewDecoder(strings.NewReader(text))
	var got []string
	for depth := 0; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := token.(json.Delim); ok {
			depth += map[json.Delim]int{'{': 1, '}': -1}[d]
			continue
		}
		if depth == 1 {
			got = append(got, token.(string))
			if _, err := decoder.Token(); err != nil {
				t.Fatal(err)
			}
		}
	}
	var want []string
	for _, f := range Fields() {
		want = append(want, f.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	fields := linesOf(t, text)[0]
	for name, value := range map[string]any{"time": "2026-03-01T09:00:00.007Z", "upstream_ms": 1.5, "client": "192.0.2.1", "aborted": true, "duration_ms": 1.234} {
		if fields[name] != value {
			t.Errorf("%s is %v", name, fields[name])
		}
	}
}

func TestWhatACallerSendsForgesNoLine(t *testing.T) {
	for _, path := range []string{
		"/a\n{\"status\":200}", "/\"quoted\"", `/back\slash`, "/\x00\x1f\x7f", "/caf\xe9", "/café", "/\u2028", "/" + strings.Repeat("é", 300),
	} {
		l := Line{Face: Gateway, Method: "GET", Path: path, Status: 404}
		text := string(l.append(nil))
		if strings.Count(text, "\n") != 1 {
			t.Errorf("%q gives more than a line: %q", path, text)
		}
		fields := linesOf(t, text)[0]
		if got, want := fields["path"].(string), strings.ToValidUTF8(path, "\uFFFD"); got != want && len(got) > 270 || len(path) < 200 && got != want {
			t.Errorf("%q is told as %q", path, got)
		}
	}
}

func TestWhichCallsGetALine(t *testing.T) {
	l := opened(t, Options{Out: io.Discard, Share: 0})
	for _, test := range []struct {
		name   string
		status int
		traced bool
		want   bool
	}{
		{"one of none", 200, false, false},
		{"a mistake of the caller is one like others", 404, false, false},
		{"a fault always", 503, false, true},
		{"one whose trace is recorded always", 200, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := l.Takes(test.status, test.traced); got != test.want {
				t.Errorf("it is %t", got)
			}
		})
	}
	if !opened(t, Options{Out: io.Discard, Share: 1}).Takes(200, false) {
		t.Error("one of all gets none")
	}
	if (*Log)(nil).Takes(500, true) {
		t.Error("there is no log")
	}
}

func TestLinesAreAddedToTheFileAndFlushedAtTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	for i := range 2 {
		l := opened(t, Options{Path: path, Share: 1})
		var work sync.WaitGroup
		for range 4 {
			work.Go(func() {
				for n := range 500 {
					l.Write(&Line{Face: Gateway, Path: fmt.Sprint("/", n), Status: 200})
				}
			})
		}
		work.Wait()
		if err := l.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := len(linesOf(t, read(t, path))); got != (i+1)*2000 {
			t.Errorf("there are %d lines after %d times 2000", got, i+1)
		}
		if l.lines.Load() != 2000 || l.lost.Load() != 0 {
			t.Errorf("%d lines are counted, and %d lost", l.lines.Load(), l.lost.Load())
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o007 != 0 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
}

func TestAFileThatWasRotatedIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	l := opened(t, Options{Path: path, Share: 1})
	write := func(path, file string) {
		t.Helper()
		l.Write(&Line{Face: Gateway, Path: path, Status: 200})
		deadline := time.Now().Add(patience)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for !strings.Contains(read(t, file), path) {
			if time.Now().After(deadline) {
				t.Fatalf("%s does not come", path)
			}
			<-tick.C
		}
	}
	write("/before", path)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write("/meanwhile", path+".1")
	if err := l.Reopen(); err != nil {
		t.Fatal(err)
	}
	write("/after", path)
	if strings.Contains(read(t, path+".1"), "/after") {
		t.Error("it goes on in the old file")
	}
	// Where the new one cannot be opened, the old one goes on.
	if err := os.Rename(path, path+".2"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err == nil {
		t.Error("a directory is taken for a file")
	}
	write("/still", path+".2")
}

// slow is a disk that takes nothing until it is let.
type slow struct {
	let     chan struct{}
	entered chan struct{}
	once    sync.Once
	mu      sync.Mutex
	text    bytes.Buffer
}

func (s *slow) Write(p []byte) (int, error) {
	s.once.Do(func() { close(s.entered) })
	<-s.let
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// TestASlowDiskHoldsNoCallUp: what there is no room for is lost and counted, and what is
// written is whole.
func TestASlowDiskHoldsNoCallUp(t *testing.T) {
	disk := &slow{let: make(chan struct{}), entered: make(chan struct{})}
	var log bytes.Buffer
	l := opened(t, Options{Out: disk, Share: 1, Buffer: 4 << 10, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	line := Line{Face: Gateway, Path: "/p", Status: 200}
	l.Write(&line)
	<-disk.entered
	for range 1000 {
		l.Write(&line)
	}
	if l.lost.Load() == 0 {
		t.Error("nothing is lost")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Close(ctx); err == nil {
		t.Error("the end waits for the disk, or does not say what is lost")
	}
	close(disk.let)
	<-l.stopped
	if got := uint64(len(linesOf(t, disk.text.String()))); got+l.lost.Load() != 1001 || got != l.lines.Load() {
		t.Errorf("%d lines came, %d are counted, and %d as lost, of 1001", got, l.lines.Load(), l.lost.Load())
	}
	if n := strings.Count(log.String(), "were lost"); n != 1 {
		t.Errorf("the log tells it %d times: %s", n, log.String())
	}
}

// full is a disk that fills up in the middle of a line, and is emptied.
type full struct {
	writes int
	text   bytes.Buffer
}

func (f *full) Write(p []byte) (int, error) {
	if f.writes++; f.writes == 1 {
		n, _ := f.text.Write(p[:len(p)-10])
		return n, errors.New("no space left on device")
	}
	return f.text.Write(p)
}

func TestALineThatWasCutOffDoesNotRunIntoTheNext(t *testing.T) {
	disk := &full{}
	l := opened(t, Options{Out: disk, Share: 1})
	l.flush([]byte("{\"n\":1}\n{\"n\":2,\"more\":true}\n"))
	l.flush([]byte("{\"n\":3}\n"))
	if got, want := disk.text.String(), "{\"n\":1}\n{\"n\":2,\"mo\n{\"n\":3}\n"; got != want {
		t.Errorf("it reads %q", got)
	}
	if l.lines.Load() != 2 || l.lost.Load() != 1 {
		t.Errorf("%d lines are counted, and %d lost", l.lines.Load(), l.lost.Load())
	}
}

func BenchmarkWrite(b *testing.B) {
	l, err := Open(Options{Path: filepath.Join(b.TempDir(), "access.log"), Share: 1, Buffer: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	line := Line{
		Time: time.Now(), Face: Gateway, RequestID: "0197aaaaaaaaaaaaaaaaaaaaaaaaaaaa", TraceID: "0af7651916cd43dd8448eb211c80319c", Method: "GET", Path: "/orders/by-customer",
		APIID: "0197aaaaaaaaaaaaaaaaaaaaaaaaaaaa", API: "orders_by_customer", Environment: "RELEASE", Instance: "0197aaaaaaaaaaaaaaaaaaaaaaaaaaaa", Version: "V1", Status: 200,
		Duration: 173 * time.Microsecond, Bytes: 311, Client: netip.MustParseAddr("127.0.0.1"),
	}
	line.SetUpstream(141 * time.Microsecond)
	b.ReportAllocs()
	for b.Loop() {
		l.Write(&line)
	}
	b.StopTimer()
	_ = l.Close(context.Background())
}
