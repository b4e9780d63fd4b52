// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// trailOf is an export of n chained events.
func trailOf(t *testing.T, n int) [][]byte {
	t.Helper()
	var lines [][]byte
	previous := ""
	for i := 1; i <= n; i++ {
		e := service.Event{
			Sequence: int64(10 + i), WorkspaceID: "w", At: time.Date(2026, 1, 2, 3, 4, i, 5000, time.UTC), ActorID: "m", ActorName: "dev",
			Action: "group.update", ThingID: "g", ThingName: "Bücher <&>", RequestID: "r", Number: int64(i),
			Detail: json.RawMessage(fmt.Sprintf(`{"before":{"b":%d,"a":null},"after":{"text":"tab\t\"x\" ü","n":12345678901234567890,"f":1.50}}`, i)),
		}
		if err := e.Seal(previous); err != nil {
			t.Fatal(err)
		}
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		lines, previous = append(lines, line), e.Hash
	}
	return lines
}

// The trails that exist were chained like this.
func TestAnEventHasTheHashThatItAlwaysHad(t *testing.T) {
	var e service.Event
	if err := json.Unmarshal(trailOf(t, 2)[1], &e); err != nil {
		t.Fatal(err)
	}
	if want := "e673a7dec3ca41c4100210ad09a02200ca94ae80482fe779c7050f0563975659"; e.Hash != want {
		t.Errorf("got %s, want %s", e.Hash, want)
	}
}

func add(trail *service.Trail, lines ...[]byte) error {
	for _, line := range lines {
		if err := trail.AddLine(line); err != nil {
			return err
		}
	}
	return nil
}

func TestATrailShowsWhatWasDoneToIt(t *testing.T) {
	replace := func(old, replacement string) func([][]byte) [][]byte {
		return func(lines [][]byte) [][]byte {
			if !bytes.Contains(lines[2], []byte(old)) {
				t.Fatalf("there is no %s in %s", old, lines[2])
			}
			lines[2] = bytes.Replace(lines[2], []byte(old), []byte(replacement), 1)
			return lines
		}
	}
	for name, test := range map[string]struct {
		change func(lines [][]byte) [][]byte
		number int64
		want   string
	}{
		"a removed line":                    {func(l [][]byte) [][]byte { return slices.Delete(l, 2, 3) }, 3, "Event 3 is missing: event 4 follows event 2."},
		"a line twice":                      {func(l [][]byte) [][]byte { return slices.Insert(l, 2, l[1]) }, 2, "Event 2 comes after event 2"},
		"two lines in the wrong order":      {func(l [][]byte) [][]byte { l[1], l[2] = l[2], l[1]; return l }, 2, "Event 2 is missing"},
		"another actor":                     {replace(`"dev"`, `"eve"`), 3, "Event 3 is not as it was written"},
		"another time":                      {replace(`03:04:03`, `03:04:04`), 3, "Event 3 is not as it was written"},
		"another number in the detail":      {replace(`12345678901234567890`, `12345678901234567891`), 3, "Event 3 is not as it was written"},
		"a member that was added":           {replace(`{"sequence"`, `{"x":1,"sequence"`), 3, "Event 3 is not as it was written"},
		"a member that is there twice":      {replace(`{"sequence"`, `{"actor_name":"eve","sequence"`), 0, `it has the member "actor_name" twice`},
		"a detail's member twice":           {replace(`"after":{`, `"after":{"n":1,`), 0, `it has the member "n" twice`},
		"half a line":                       {func(l [][]byte) [][]byte { l[2] = l[2][:40]; return l }, 0, "The line cannot be read"},
		"a line with something behind":      {func(l [][]byte) [][]byte { l[2] = append(l[2], `{}`...); return l }, 0, "it is not one complete JSON object"},
		"a line that is no event":           {func(l [][]byte) [][]byte { l[2] = []byte(`{"a":1}`); return l }, 0, "The line is no event"},
		"a line of another workspace":       {replace(`"workspace_id":"w"`, `"workspace_id":"v"`), 3, "another workspace"},
		"an event that was replaced by one": {func(l [][]byte) [][]byte { return resealed(t, l, 2, "") }, 3, "Event 3 does not follow the event 2"},
		"a first event that follows another": {
			func(l [][]byte) [][]byte { return resealed(t, l, 0, strings.Repeat("0", 64)) }, 1,
			"Event 1 names an event before it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := add(&service.Trail{}, test.change(trailOf(t, 5))...)
			var broken *service.BrokenTrailError
			if !errors.As(err, &broken) || broken.Number != test.number || !strings.Contains(broken.Message, test.want) {
				t.Errorf("got %v, want event %d: %s", err, test.number, test.want)
			}
		})
	}
}

// resealed gives one event a hash of its own after another predecessor.
func resealed(t *testing.T, lines [][]byte, i int, previous string) [][]byte {
	t.Helper()
	var e service.Event
	if err := json.Unmarshal(lines[i], &e); err != nil {
		t.Fatal(err)
	}
	if err := e.Seal(previous); err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	lines[i] = line
	return lines
}

func TestAWholeTrailAndAPartOfItHold(t *testing.T) {
	lines := trailOf(t, 5)
	var whole, part, written service.Trail
	if err := add(&whole, lines...); err != nil || whole.First != 1 || whole.Last != 5 || len(whole.Head) != 64 {
		t.Errorf("the whole is %+v, %v", whole, err)
	}
	if err := add(&part, lines[2:4]...); err != nil || part.First != 3 || part.Last != 4 {
		t.Errorf("the part is %+v, %v", part, err)
	}
	// Another program may have written the lines anew: what they say is what counts.
	for _, line := range lines {
		var value map[string]any
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		again, err := json.MarshalIndent(value, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := written.AddLine(again); err != nil {
			t.Error(err)
		}
	}
}

func TestTheHashIsThatOfTheDocumentedForm(t *testing.T) {
	e := service.Event{
		Sequence: 7, WorkspaceID: "w", At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), ActorID: "m", ActorName: "d\"e\x01v", Action: "group.create",
		ThingID: "g", ThingName: "ü<", RemoteAddress: "192.0.2.1:4711", Number: 1, Detail: json.RawMessage(`{"b": [1, 2.50, true], "a": {}}`),
	}
	if err := e.Seal(""); err != nil {
		t.Fatal(err)
	}
	// sha256sum of:
	// {"action":"group.create","actor_id":"m","actor_name":"d\"e\u0001v","at":"2026-01-02T03:04:05Z","detail":{"a":{},"b":[1,2.50,true]},"number":1,"previous_hash":"","remote_address":"192.0.2.1:4711","sequence":7,"thing_id":"g","thing_name":"ü<","workspace_id":"w"}
	const want = "ff3eff661dd380ea51f03303bbf68f95be06e38f48a97dc1590aa62f5f6b8be5"
	if e.Hash != want {
		t.Errorf("the hash is %s, want %s", e.Hash, want)
	}
}

// Any bytes get an answer, and what a line says does not depend on how it is written.
func FuzzALineOfATrail(f *testing.F) {
	f.Add([]byte(`{"number":1,"detail":[1.50,{"b":"\u00e9\ud800","a":null}], "é" : [ ] , "f":{ }}`))
	f.Add([]byte(`{"number":1,"a":1,"\u0061":2}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		err := add(new(service.Trail), line)
		var spread bytes.Buffer
		if json.Indent(&spread, line, " ", "\t") != nil {
			if err == nil {
				t.Error("a line that is no JSON is an event")
			}
			return
		}
		if again := add(new(service.Trail), spread.Bytes()); fmt.Sprint(err) != fmt.Sprint(again) {
			t.Errorf("with white space it answers %q instead of %q", again, err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	e := service.Event{
		Sequence: 1, WorkspaceID: strings.Repeat("f", 32), At: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), ActorName: "dataservice",
		Action: "notice.execute", ThingID: strings.Repeat("e", 32), ThingName: "billing", Number: 12345,
		Detail: json.RawMessage(`{"api_name":"orders","environment_name":"RELEASE","from":"OPEN","kind":"STOP","to":"EXECUTED"}`),
	}
	for b.Loop() {
		if err := e.Seal(strings.Repeat("0", 64)); err != nil {
			b.Fatal(err)
		}
	}
}
