// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
)

// fault is what goes wrong between the provider and the service.
type fault struct {
	// strike answers a request in place of the service, or after it.
	strike func(s *strike, w http.ResponseWriter, r *http.Request, pass http.Handler)
	// overcome says that the provider gets over it by itself, so that nobody notices.
	overcome bool
	// shuts says that it needs a door to shut: resets do not come through one.
	shuts bool
	// says is what the user reads where it does not.
	says string
}

// strike is a fault at work on one run of the CLI.
type strike struct {
	t   *testing.T
	cli atomic.Int64
	// door is what the provider connects to; nil where the fault shuts none.
	door *door
	// interrupted is the last run that was: a second interruption has the CLI drop
	// everything, state included.
	interrupted atomic.Int64
}

// faults are all that every resource is tested against.
var faults = map[string]fault{
	"connections are refused for a while": {
		overcome: true, shuts: true,
		strike: func(s *strike, _ http.ResponseWriter, _ *http.Request, _ http.Handler) {
			s.door.shut(300 * time.Millisecond)
			panic(http.ErrAbortHandler)
		},
	},
	"the connection is reset before the service sees the request": {
		overcome: true,
		strike:   func(_ *strike, w http.ResponseWriter, _ *http.Request, _ http.Handler) { reset(w, nil) },
	},
	"the connection is reset before the service's answer arrives": {
		overcome: true,
		strike: func(_ *strike, w http.ResponseWriter, r *http.Request, pass http.Handler) {
			pass.ServeHTTP(httptest.NewRecorder(), r)
			reset(w, nil)
		},
	},
	"the connection is reset in the middle of the answer": {
		overcome: true,
		strike: func(_ *strike, w http.ResponseWriter, r *http.Request, pass http.Handler) {
			head, body := answerOf(pass, r)
			reset(w, append(head, body[:len(body)/2]...))
		},
	},
	"the answer is cut short": {
		overcome: true,
		strike: func(_ *strike, w http.ResponseWriter, r *http.Request, pass http.Handler) {
			recorded := httptest.NewRecorder()
			pass.ServeHTTP(recorded, r)
			maps.Copy(w.Header(), recorded.Header())
			body := recorded.Body.Bytes()
			w.Header().Set("Content-Length", strconv.Itoa(len(body)/2))
			w.WriteHeader(recorded.Code)
			_, _ = w.Write(body[:len(body)/2])
		},
	},
	"the answer takes too long": {
		overcome: true,
		strike: func(_ *strike, _ http.ResponseWriter, r *http.Request, pass http.Handler) {
			pass.ServeHTTP(httptest.NewRecorder(), r)
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		},
	},
	"there are too many requests (429)": {
		overcome: true,
		strike: func(_ *strike, w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Retry-After", "1")
			problem(w, http.StatusTooManyRequests, "RATE_LIMITED", "Too many requests.")
		},
	},
	"the service fails (500)": {
		says: "The service failed.",
		strike: func(_ *strike, w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			problem(w, http.StatusInternalServerError, "INTERNAL", "The service failed.")
		},
	},
	"a proxy answers with a page of HTML (502)": {
		overcome: true,
		strike: func(_ *strike, w http.ResponseWriter, r *http.Request, pass http.Handler) {
			pass.ServeHTTP(httptest.NewRecorder(), r)
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, "<html><body><h1>502 Bad Gateway</h1></body></html>")
		},
	},
	"it has changed since the plan (412)": {
		says: "It was changed meanwhile.",
		strike: func(_ *strike, w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			problem(w, http.StatusPreconditionFailed, "STALE", "It was changed meanwhile.")
		},
	},
	"somebody else is in the way (409)": {
		says: "Somebody else changed it.",
		strike: func(_ *strike, w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			problem(w, http.StatusConflict, "CONFLICT", "Somebody else changed it.")
		},
	},
	"the token has expired (401)": {
		says: "The token has expired.",
		strike: func(_ *strike, w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			problem(w, http.StatusUnauthorized, "UNAUTHENTICATED", "The token has expired.")
		},
	},
	"the right was taken away (403)": {
		says: "You may not.",
		strike: func(_ *strike, w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			problem(w, http.StatusForbidden, "FORBIDDEN", "You may not.")
		},
	},
	"the user interrupts (Ctrl-C)": {
		strike: func(s *strike, _ http.ResponseWriter, r *http.Request, pass http.Handler) {
			pass.ServeHTTP(httptest.NewRecorder(), r)
			if cli := s.cli.Load(); s.interrupted.Swap(cli) != cli {
				s.signal(syscall.SIGINT, int(cli))
			}
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		},
	},
	"the plugin is told to end (SIGTERM)": {
		strike: func(s *strike, _ http.ResponseWriter, r *http.Request, pass http.Handler) {
			pass.ServeHTTP(httptest.NewRecorder(), r)
			for _, pid := range pluginsOf(s.t, int(s.cli.Load())) {
				s.signal(syscall.SIGTERM, pid)
			}
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		},
	},
}

func (s *strike) signal(sig os.Signal, pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Signal(sig) // it may have ended
	}
}

// reset sends these bytes and then resets the connection.
func reset(w http.ResponseWriter, sent []byte) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = buffered.Write(sent)
	_ = buffered.Flush()
	if len(sent) > 0 {
		// A reset overtakes what has not been read.
		time.Sleep(50 * time.Millisecond)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// answerOf is the service's answer as it is written, its head and its body apart.
func answerOf(pass http.Handler, r *http.Request) (head, body []byte) {
	recorded := httptest.NewRecorder()
	pass.ServeHTTP(recorded, r)
	recorded.Header().Set("Content-Length", strconv.Itoa(recorded.Body.Len()))
	var b strings.Builder
	b.WriteString("HTTP/1.1 " + strconv.Itoa(recorded.Code) + " " + http.StatusText(recorded.Code) + "\r\n")
	_ = recorded.Header().Write(&b)
	b.WriteString("\r\n")
	return []byte(b.String()), recorded.Body.Bytes()
}

func problem(w http.ResponseWriter, status int, code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"status":`+strconv.Itoa(status)+`,"code":"`+code+`","title":"`+http.StatusText(status)+`","detail":"`+detail+`","request_id":"r1"}`)
}

// kindOf returns the kind of thing that a request is about, by its path.
func kindOf(r *http.Request) string {
	words := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v1/"), "/")
	if len(words) > 2 {
		words = words[2:] // those of the workspace's own
	}
	if _, known := kinds[words[0]]; known {
		return words[0]
	}
	return ""
}

// writes are the methods that change something.
var writes = []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// TestEveryResourceSurvivesEveryFault lets each fault strike the first request that
// changes something of each kind, in a create, an update and a destroy, and the first
// that reads it in a plan. Whatever the run says, nothing is tainted, the next run
// goes on where it ended, there is one of each thing, and in the end nothing is left.
func TestEveryResourceSurvivesEveryFault(t *testing.T) {
	t.Parallel()
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newFaultWorld(t, f).live()
		})
	}
}

// faultWorld is a service behind a proxy at which a fault strikes.
type faultWorld struct {
	*testing.T
	fault
	service *servicetest.Service
	workdir *servicetest.Workdir
	strike  *strike

	mu sync.Mutex
	// methods are those of the requests that are struck, and struck the kinds that were.
	methods []string
	struck  map[string]bool
}

func newFaultWorld(t *testing.T, f fault) *faultWorld {
	w := &faultWorld{T: t, fault: f, service: startService(t), strike: &strike{t: t}}
	w.workdir = workdir(w.service, w.service.AdminToken(), governanceConfig)
	proxy := servicetest.Proxy{Instead: func(out http.ResponseWriter, r *http.Request, pass http.Handler) {
		if w.strikes(r) {
			f.strike(w.strike, out, r, pass)
			return
		}
		pass.ServeHTTP(out, r)
	}}
	through, err := url.Parse(proxy.Start(t, w.service.ControlPlane))
	if err != nil {
		t.Fatal(err)
	}
	if f.shuts {
		w.strike.door = newDoor(t, through.Host)
		through.Host = w.strike.door.Listen
		// One request at a time: what waits beside another one would be shut out again and again.
		for _, command := range []string{"plan", "apply", "destroy"} {
			w.workdir.Env = append(w.workdir.Env, "TF_CLI_ARGS_"+command+"=-parallelism=1")
		}
	}
	w.workdir.Env = append(w.workdir.Env, "DATASERVICE_ENDPOINT="+through.String(), "DATASERVICE_REQUEST_TIMEOUT=5s")
	return w
}

// strikes reports whether the request is the first one of its kind that is to be struck.
func (w *faultWorld) strikes(r *http.Request) bool {
	kind := kindOf(r)
	w.mu.Lock()
	defer w.mu.Unlock()
	if kind == "" || w.struck[kind] || !slices.Contains(w.methods, r.Method) || strings.HasSuffix(r.URL.Path, "/validate") {
		return false
	}
	w.struck[kind] = true
	return true
}

// aim has the fault strike requests with these methods, once for each kind.
func (w *faultWorld) aim(methods ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.methods, w.struck = methods, map[string]bool{}
}

// live goes through the life of everything.
func (w *faultWorld) live() {
	w.aim(writes...)
	w.converge("create", "apply", "-auto-approve", "-no-color")
	w.hit("create", slices.Collect(maps.Keys(kinds))...)
	w.counts(0)

	w.aim(http.MethodGet)
	w.converge("read", "plan", "-detailed-exitcode", "-no-color")
	w.hit("read", slices.Collect(maps.Keys(kinds))...)

	w.workdir.Set("generation=2")
	w.aim(writes...)
	w.converge("update", "apply", "-auto-approve", "-no-color")
	w.hit("update", slices.Collect(maps.Keys(kinds))...)
	w.counts(0)

	w.aim(writes...)
	w.converge("destroy", "destroy", "-auto-approve", "-no-color")
	w.hit("destroy", slices.Collect(maps.Keys(kinds))...)
	w.aim()
	if got := w.workdir.Run("state", "list"); got.Output != "" {
		w.Errorf("after the destroy the state has %s", got.Output)
	}
	w.counts(-1)
}

// converge runs the CLI until it succeeds: at once where the provider gets over the
// fault, and else once more for each step of the graph.
func (w *faultWorld) converge(verb string, args ...string) {
	w.Helper()
	for run := 1; ; run++ {
		running := w.workdir.Begin(args...)
		w.strike.cli.Store(int64(running.Process().Pid))
		result := running.Wait(3 * time.Minute)
		for _, bug := range []string{"Provider produced", "panic:", "bug in the provider", "Missing Resource"} {
			if strings.Contains(result.Output, bug) {
				w.Fatalf("%s, run %d: %s", verb, run, result.Output)
			}
		}
		if tainted := w.workdir.Tainted(); len(tainted) > 0 {
			w.Fatalf("%s, run %d: tainted are %s:\n%s", verb, run, tainted, result.Output)
		}
		switch {
		case result.Code == 0:
			if w.says != "" && run == 1 {
				w.Errorf("%s: nothing was noticed:\n%s", verb, end(result.Output))
			}
			w.workdirPlansNothing(verb)
			return
		case w.overcome || run > len(kinds):
			w.Fatalf("%s: run %d ends with %d:\n%s", verb, run, result.Code, end(result.Output))
		case !strings.Contains(result.Output, w.says):
			w.Errorf("%s, run %d does not say %q:\n%s", verb, run, w.says, end(result.Output))
		}
	}
}

// end is where the errors stand in what the CLI has printed.
func end(output string) string {
	if at := strings.Index(output, "Error: "); at >= 0 {
		return output[at:]
	}
	return output
}

// workdirPlansNothing checks that the last run has done everything.
func (w *faultWorld) workdirPlansNothing(verb string) {
	w.Helper()
	if verb == "destroy" {
		return
	}
	w.mu.Lock()
	methods := w.methods
	w.methods = nil
	w.mu.Unlock()
	w.workdir.Plan().Succeeds(w, "No changes")
	w.mu.Lock()
	w.methods = methods
	w.mu.Unlock()
}

// hit checks that the fault has struck each of these kinds.
func (w *faultWorld) hit(verb string, want ...string) {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, kind := range want {
		if !w.struck[kind] {
			w.Errorf("%s: nothing went wrong with the %s", verb, kind)
		}
	}
}

// counts checks that there are as many things of each kind as there are to be, and more.
func (w *faultWorld) counts(more int) {
	w.Helper()
	admin := w.service.Client(w.service.AdminToken())
	for kind, k := range kinds {
		want := k.want + more
		switch {
		case more < 0 && kind == "publications", more < 0 && kind == "authorizations":
			want = 0
		case more < 0 && kind == "environments":
			want = 1 // the instance brought one
		}
		if n := k.count(w.T, admin); n != want {
			w.Errorf("there are %d %s, want %d", n, kind, want)
		}
	}
}
