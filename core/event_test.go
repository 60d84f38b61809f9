package core_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core"
)

// H20.
func TestPrintable(t *testing.T) {
	long := strings.Repeat("a", core.MaxLogged)
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"plain", "alice at 10:00 ~!", "alice at 10:00 ~!"},
		{"letters of any script", "Zoë 日本", "Zoë 日本"},
		{"a line break", "a\r\nb", `a\r\nb`},
		{"NUL and DEL", "\x00\x7f", `\x00\x7f`},
		{"an ANSI escape", "\x1b[2J", `\x1b[2J`},
		{"a control of Latin-1", "a\u0085", `a\u0085`},
		{"a line separator", "a\u2028b\u2029", `a\u2028b\u2029`},
		{"bidirectional marks", "\u202eevil\u2066", `\u202eevil\u2066`},
		{"what cannot be seen", "a\u200b\ufeff\u00a0", `a\u200b\ufeff\u00a0`},
		{"a tag character", "\U000e0041", `\U000e0041`},
		{"invalid UTF-8", "a\xff\xc0\xafb", `a\xff\xc0\xafb`},
		{"a replacement character is no error", "\ufffd", "\ufffd"},
		{"just short enough", long, long},
		{"too long", long + "b", long + "…"},
		{"too long, cut inside a character", long[1:] + "é", long[1:] + `\xc3…`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := core.Printable(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzPrintable(f *testing.F) {
	for _, s := range []string{"", "a", "\r\n", "\x1b[31m", "\u202e", "\xff", strings.Repeat("é", 200)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := core.Printable(s)
		if !utf8.ValidString(got) || len(got) > 10*core.MaxLogged+len("…") {
			t.Errorf("%q became %q", s, got)
		}
		for _, r := range got {
			if r != ' ' && !unicode.IsGraphic(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
				t.Errorf("%q became %q with %U", s, got, r)
			}
		}
	})
}

// W3C Trace Context §3.2.2.
func TestTraceID(t *testing.T) {
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for _, tt := range []struct{ name, in, want string }{
		{"version 00", "00-" + id + "-00f067aa0ba902b7-01", id},
		{"a later version with more fields", "01-" + id + "-00f067aa0ba902b7-01-more", id},
		{"empty", "", ""},
		{"too short", "00-" + id + "-00f067aa0ba902b7-0", ""},
		{"no separator after the version", "00x" + id + "-00f067aa0ba902b7-01", ""},
		{"no separator after the trace", "00-" + id + "x00f067aa0ba902b7-01", ""},
		{"upper case", "00-" + strings.ToUpper(id) + "-00f067aa0ba902b7-01", ""},
		{"a line break", "00-" + id[:31] + "\n-00f067aa0ba902b7-01", ""},
		{"all zero is no trace", "00-" + strings.Repeat("0", 32) + "-00f067aa0ba902b7-01", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := core.TraceID(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func fullEvent() core.Event {
	return core.Event{
		Time: time.Now(), Outcome: core.OutcomeForbidden, Status: 403, Reason: core.ReasonMissingRole, Gate: "require",
		Scheme: "Bearer", PrincipalID: "alice", Method: "GET", Route: "/a/:id", Resource: "/a/7", Rule: "policy.csv:3",
		RequestID: "r-1", TraceID: "t-1", Duration: time.Millisecond, Cause: errors.New("why"),
	}
}

func TestLogObserver(t *testing.T) {
	var b bytes.Buffer
	core.LogObserver(slog.New(slog.NewJSONHandler(&b, nil))).Observe(t.Context(), fullEvent())
	var line map[string]any
	if err := json.Unmarshal(b.Bytes(), &line); err != nil {
		t.Fatalf("%s: %v", &b, err)
	}
	for key, want := range map[string]any{
		"level": "WARN", "msg": "access", "outcome": "forbidden", "status": 403.0, "reason": "missing_role", "gate": "require",
		"scheme": "Bearer", "principal": "alice", "method": "GET", "route": "/a/:id", "resource": "/a/7", "rule": "policy.csv:3",
		"request_id": "r-1", "trace_id": "t-1", "duration": 1e6, "cause": "why",
	} {
		if line[key] != want {
			t.Errorf("%s is %v, want %v", key, line[key], want)
		}
	}
	b.Reset()
	core.LogObserver(slog.New(slog.NewJSONHandler(&b, nil))).Observe(t.Context(), core.Event{Outcome: core.OutcomeAllowed})
	if s := b.String(); strings.Contains(s, "principal") || strings.Contains(s, "cause") || strings.Contains(s, "rule") {
		t.Errorf("what is unknown is logged: %s", s)
	}
}

// The level tells bursts of 401 and 403 from failures.
func TestLogLevels(t *testing.T) {
	for outcome, want := range map[core.Outcome]string{
		core.OutcomeAllowed: "INFO", core.OutcomePreflight: "INFO",
		core.OutcomeBadRequest: "WARN", core.OutcomeUnauthenticated: "WARN", core.OutcomeForbidden: "WARN",
		core.OutcomeUnavailable: "ERROR", core.OutcomeError: "ERROR",
	} {
		var b bytes.Buffer
		core.LogObserver(slog.New(slog.NewTextHandler(&b, nil))).Observe(t.Context(), core.Event{Outcome: outcome})
		if !strings.Contains(b.String(), "level="+want+" ") {
			t.Errorf("%s: %s", outcome, &b)
		}
	}
	for reason, want := range map[core.Reason]string{core.ReasonUnavailable: "ERROR", core.ReasonUnknownKey: "WARN"} {
		var b bytes.Buffer
		core.LogObserver(slog.New(slog.NewTextHandler(&b, nil))).Observe(t.Context(), core.Event{Outcome: core.OutcomeUnavailable, Reason: reason})
		if !strings.Contains(b.String(), "level="+want+" ") {
			t.Errorf("503 for %s: %s", reason, &b)
		}
	}
}

// lines is a handler that does not escape, like many in applications.
type lines struct {
	slog.Handler
	b *strings.Builder
}

func (l lines) Enabled(context.Context, slog.Level) bool { return true }
func (l lines) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		l.b.WriteString(a.Key + "=" + a.Value.String() + " ")
		return true
	})
	l.b.WriteByte('\n')
	return nil
}

// H20: one line per event, whatever the client sends and whichever handler is used.
func TestAClientCannotForgeALogLine(t *testing.T) {
	const evil = "x\r\naccess outcome=allowed \x1b[1A\u202e\u2028\xff"
	e := fullEvent()
	e.Method, e.PrincipalID, e.Route, e.Resource, e.RequestID, e.TraceID, e.Rule = evil, evil, evil, evil, evil, evil, evil
	e.Reason, e.Scheme, e.Cause = evil, evil, errors.New(evil)
	var b strings.Builder
	core.LogObserver(slog.New(lines{b: &b})).Observe(t.Context(), e)
	got, _ := strings.CutSuffix(b.String(), "\n")
	if strings.ContainsAny(got, "\r\n\x1b\u202e\u2028") || !utf8.ValidString(got) {
		t.Errorf("line %q", got)
	}
}

func TestALoggerThatIsOffCostsNothing(t *testing.T) {
	o := core.LogObserver(slog.New(slog.DiscardHandler))
	e := fullEvent()
	if n := testing.AllocsPerRun(100, func() { o.Observe(context.Background(), e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestWithoutALoggerTheDefaultOfTheMomentIsUsed(t *testing.T) {
	o := core.LogObserver(nil)
	var b bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&b, nil)))
	o.Observe(t.Context(), fullEvent())
	if !strings.Contains(b.String(), "status=403") {
		t.Errorf("logged %q", &b)
	}
}

// A counter does without what costs most of an event, unless another observer wants it.
func TestCountersLeaveTimesAndOriginsOut(t *testing.T) {
	var counted []core.Event
	counter := core.CounterFunc(func(_ context.Context, e core.Event) { counted = append(counted, e) })
	schemes := []core.Authenticator{newScheme(t, "Token")}
	r := get("/a", "Authorization: Token alice", "X-Request-Id: r-1")

	g, err := core.NewGuard(schemes, core.WithObserver(counter), core.WithObserver(counter))
	if err != nil {
		t.Fatal(err)
	}
	mounted(t)(g.Authenticate()).Check(t.Context(), r)
	if len(counted) != 2 || counted[1].Outcome == "" || counted[1].Method != "GET" || counted[1].Gate != "authenticate" {
		t.Fatalf("counted %+v", counted)
	}
	for _, e := range counted {
		if !e.Time.IsZero() || e.Duration != 0 || e.RequestID != "" || e.ClientAddr() != "" {
			t.Errorf("made for counters alone: %+v", e)
		}
	}

	counted = nil
	var seen observer
	for _, of := range []func() (*core.Guard, error){
		func() (*core.Guard, error) {
			return core.NewGuard(schemes, core.WithObserver(counter), core.WithObserver(&seen))
		},
		func() (*core.Guard, error) { return g.With(core.WithObserver(&seen)) },
	} {
		g, err := of()
		if err != nil {
			t.Fatal(err)
		}
		mounted(t)(g.Authenticate()).Check(t.Context(), r)
		if e := seen.last(t); e.Time.IsZero() || e.Duration <= 0 || e.RequestID != "r-1" || e.ClientAddr() != "192.0.2.1" {
			t.Errorf("made for another observer: %+v", e)
		}
	}
}
