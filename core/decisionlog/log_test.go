package decisionlog_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/decisionlog"
)

// TestDecisions checks that a line contains what an auditor and a replay need.
func TestDecisions(t *testing.T) {
	t.Parallel()
	events := eventsOf(t, "/reports/7", "alice", "bob", "")
	records := logged(t, events)
	if len(records) != 5 || records[0].Kind != decisionlog.KindOpen || records[4].Kind != decisionlog.KindClose {
		t.Fatalf("records: %+v", records)
	}
	for i, r := range records {
		if r.Seq != uint64(i+1) || r.Time.IsZero() {
			t.Errorf("record %d has number %d, time %v", i, r.Seq, r.Time)
		}
	}
	if o := records[0].Open; o.Why != "start" || o.SampleRate != 1 || o.QueueSize != 8192 || o.Unclean || o.Run == "" {
		t.Errorf("opening: %+v", o)
	}
	if c := records[4].Close; c.Written != 3 || c.QueueFull != 0 {
		t.Errorf("closing: %+v", c)
	}
	asked := `{"principal":"%s","tenant":"acme","token_roles":["viewer","ops \"b\""],"policy_roles":["editor"],"method":"GET",` +
		`"action":"GET","route":"/reports/{id}","resource":"/reports/7","attributes":{"region":"eu"}}`
	for i, want := range []struct {
		outcome               core.Outcome
		status                int
		reason                core.Reason
		rule, revision, asked string
	}{
		{core.OutcomeAllowed, 200, core.ReasonAllowed, "policy.csv:3", "abc", fmt.Sprintf(asked, "alice")},
		{core.OutcomeForbidden, 403, core.ReasonDenied, "policy.csv:3", "abc", fmt.Sprintf(asked, "bob")},
		{core.OutcomeUnauthenticated, 401, core.ReasonNoCredentials, "", "", `{"method":"GET","action":"GET","route":"/reports/{id}","resource":"/reports/7"}`},
	} {
		r := decisions(records)[i]
		request, err := json.Marshal(r.Request)
		must(t, err)
		if r.Outcome != want.outcome || r.Status != want.status || r.Reason != want.reason || r.Rule != want.rule || r.Revision != want.revision ||
			r.Gate != "authorize" || r.Client != "192.0.2.1" || r.RequestID != "req-1" || r.TraceID != "4bf92f3577b34da6a3ce929d0e0e4736" || string(request) != want.asked {
			t.Errorf("record: %+v\nrequest %s\nwant    %s", r, request, want.asked)
		}
		if !r.Time.Equal(events[i].Time) || r.Duration != events[i].Duration.Microseconds() {
			t.Errorf("time %v, duration %v", r.Time, r.Duration)
		}
	}
}

// TestPseudonyms checks that no name reaches the log of a guard with pseudonyms.
func TestPseudonyms(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l, err := decisionlog.New(&out)
	must(t, err)
	g, err := core.NewGuard([]core.Authenticator{names{}}, core.WithAuthorizer(policy{}), core.WithObserver(l),
		core.WithPseudonyms(bytes.Repeat([]byte("k"), 32)))
	must(t, err)
	serve(t, g, "alice")
	must(t, l.Close())
	r := decisions(parsed(t, out.Bytes()))[0].Request
	for _, name := range []string{"alice", "viewer", "acme", "editor", `"eu"`, "/7"} {
		if strings.Contains(out.String(), name) {
			t.Errorf("the log has %s: %s", name, out.String())
		}
	}
	if r.Route != "/reports/{id}" || r.Action != "GET" || len(r.TokenRoles) != 2 || len(r.PolicyRoles) != 1 || r.Attributes["region"] == "" {
		t.Errorf("request: %+v", r)
	}
}

// TestForgedLines: whatever a client sends is one line, and can be read back.
func TestForgedLines(t *testing.T) {
	t.Parallel()
	e := eventsOf(t, "/reports/7", "alice")[0]
	e.PrincipalID = "a\n{\"v\":1}\",\"request\":{\x00\u202e𝄞\xff\\"
	e.Cause = panicky{}
	r := decisions(logged(t, []core.Event{e}))[0]
	if want := strings.ToValidUTF8(e.PrincipalID, "\ufffd"); r.Request.Principal != want {
		t.Errorf("principal %q, want %q", r.Request.Principal, want)
	}
	if !strings.Contains(r.Cause, "panicky") {
		t.Errorf("cause %q", r.Cause)
	}
	e.PrincipalID = strings.Repeat("x", 10_000)
	if r := decisions(logged(t, []core.Event{e}))[0].Request; !r.Cut || len(r.Principal) != 8192 {
		t.Errorf("a long name: cut %t, %d bytes", r.Cut, len(r.Principal))
	}
}

type panicky struct{}

func (panicky) Error() string { panic("no text") }

// TestSampling: all refusals are written, and a share of the rest by request ID.
func TestSampling(t *testing.T) {
	t.Parallel()
	events := eventsOf(t, "/reports/7", "alice", "bob")
	var all []core.Event
	for i := range 4000 {
		for _, e := range events {
			e.RequestID = fmt.Sprint("request ", i/2) // two gates each
			all = append(all, e)
		}
	}
	key := decisionlog.WithSampleKey([]byte("0123456789abcdef"))
	written := func(opts ...decisionlog.Option) map[string]int {
		counts := map[string]int{}
		for _, r := range decisions(logged(t, all, append(opts, decisionlog.WithQueueSize(len(all)))...)) {
			counts[string(r.Outcome)]++
			if r.Outcome == core.OutcomeAllowed {
				counts[r.RequestID]++
			}
		}
		return counts
	}
	some := written(decisionlog.WithSampleRate(0.25), key)
	if n := some["allowed"]; n < 800 || n > 1200 || some["forbidden"] != 4000 {
		t.Errorf("a quarter: %d allowed, %d forbidden of 4000 each", n, some["forbidden"])
	}
	for id, n := range some {
		if strings.HasPrefix(id, "request") && n != 2 {
			t.Errorf("%s: %d of its two gates", id, n)
		}
	}
	if again := written(decisionlog.WithSampleRate(0.25), key); fmt.Sprint(again) != fmt.Sprint(some) {
		t.Error("another log with the same key has other requests")
	}
	if other := written(decisionlog.WithSampleRate(0.25)); fmt.Sprint(other) == fmt.Sprint(some) {
		t.Error("without a key, clients can predict which requests are written")
	}
	if none := written(decisionlog.WithSampleRate(0)); none["allowed"] != 0 || none["forbidden"] != 4000 {
		t.Errorf("none: %d allowed, %d forbidden", none["allowed"], none["forbidden"])
	}
	for i := range all {
		all[i].RequestID, all[i].TraceID = "", ""
	}
	if n := written(decisionlog.WithSampleRate(0.5), key)["allowed"]; n < 1700 || n > 2300 {
		t.Errorf("half of those without an ID: %d of 4000", n)
	}
}

// gated is a writer that blocks until it is released.
type gated struct {
	bytes.Buffer
	begun chan struct{}
	gate  chan struct{}
}

func (g *gated) Write(p []byte) (int, error) {
	select {
	case g.begun <- struct{}{}:
	default:
	}
	<-g.gate
	return g.Buffer.Write(p)
}

// TestFullQueue: requests never wait, and the log records what is missing.
func TestFullQueue(t *testing.T) {
	t.Parallel()
	out := &gated{begun: make(chan struct{}, 1), gate: make(chan struct{}, 1)}
	out.gate <- struct{}{} // for the opening
	l, err := decisionlog.New(out, decisionlog.WithQueueSize(10))
	must(t, err)
	<-out.begun
	e := eventsOf(t, "/reports/7", "bob")[0]
	l.Observe(t.Context(), e)
	<-out.begun // the writer blocks on the first one
	for range 100 {
		l.Observe(t.Context(), e)
	}
	if s := l.Stats(); s.Queued != 10 || s.QueueFull != 90 {
		t.Errorf("stats: %+v", s)
	}
	close(out.gate)
	must(t, l.Close())
	l.Observe(t.Context(), e) // too late
	if s := l.Stats(); s.Written != 11 || s.QueueFull != 91 {
		t.Errorf("stats: %+v", s)
	}
	records := parsed(t, out.Bytes())
	told := uint64(0)
	for _, r := range records {
		if r.Dropped != nil {
			told += r.Dropped.QueueFull
		}
	}
	if last := records[len(records)-1]; told != 90 || last.Close.QueueFull != 90 || len(decisions(records)) != 11 {
		t.Errorf("the log says %d, and %+v; it has %d decisions", told, last.Close, len(decisions(records)))
	}
}

// broken is a writer that fails on demand.
type broken struct {
	bytes.Buffer
	fails atomic.Bool
}

func (b *broken) Write(p []byte) (int, error) {
	if b.fails.Load() {
		return 0, errors.New("no space left")
	}
	return b.Buffer.Write(p)
}

// TestWriteFailure: failed writes are counted and logged once, and the hash chain
// continues.
func TestWriteFailure(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	out := new(broken)
	l, err := decisionlog.New(out, decisionlog.WithHashChain(), decisionlog.WithLogger(slog.New(slog.NewTextHandler(&said, nil))))
	must(t, err)
	e := eventsOf(t, "/reports/7", "bob")[0]
	for _, fails := range []bool{false, true, true, false} {
		out.fails.Store(fails)
		l.Observe(t.Context(), e)
		_ = l.Flush(t.Context()) // the writer may already be done
	}
	must(t, l.Close())
	if s := l.Stats(); s.Written != 2 || s.WriteFailed != 2 {
		t.Errorf("stats: %+v", s)
	}
	if strings.Count(said.String(), "cannot be written") != 1 {
		t.Errorf("said: %s", said.String())
	}
	told := uint64(0)
	for _, r := range parsed(t, out.Bytes()) {
		if r.Dropped != nil {
			told += r.Dropped.WriteFailed
		}
	}
	if told != 2 {
		t.Errorf("the log says that %d were lost", told)
	}
	if v := verified(t, out.Bytes()); len(v.Findings) > 0 {
		t.Errorf("findings: %v", v.Findings)
	}
}

// TestObserveBudget: a request pays for a copy, without allocations.
func TestObserveBudget(t *testing.T) {
	out := &gated{begun: make(chan struct{}, 1), gate: make(chan struct{}, 1)}
	out.gate <- struct{}{}
	l, err := decisionlog.New(out, decisionlog.WithSampleRate(0.5), decisionlog.WithQueueSize(2000))
	must(t, err)
	<-out.begun // the opening
	events := eventsOf(t, "/reports/7", "alice", "")
	e, ctx := events[0], context.Background()
	l.Observe(ctx, events[1]) // a refusal, which is always written
	<-out.begun               // and blocks the writer, whose allocations would count
	var o core.Observer = l
	if n := testing.AllocsPerRun(1000, func() { o.Observe(ctx, e) }); n > 0 {
		t.Errorf("%v allocations, budget 0", n)
	}
	close(out.gate)
	must(t, l.Close())
}

func TestSlog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l, err := decisionlog.NewSlog(slog.New(slog.NewJSONHandler(&out, nil)))
	must(t, err)
	l.Observe(t.Context(), eventsOf(t, "/reports/7", "bob")[0])
	must(t, l.Close())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var got map[string]any
	must(t, json.Unmarshal([]byte(lines[1]), &got))
	if len(lines) != 3 || got["msg"] != "decision" || got["principal"] != "bob" || got["rule"] != "policy.csv:3" ||
		got["policy_roles"] != "editor" || got["attributes.region"] != "eu" || got["status"] != 403.0 {
		t.Errorf("lines: %s", out.String())
	}
}

// TestOptions: an invalid option is an error at once.
func TestOptions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		opt  decisionlog.Option
		want string
	}{
		{decisionlog.WithQueueSize(0), "queue size 0"},
		{decisionlog.WithQueueSize(math.MaxInt), "queue size"},
		{decisionlog.WithSampleRate(1.5), "sample rate 1.5"},
		{decisionlog.WithSampleRate(-0.1), "sample rate -0.1"},
		{decisionlog.WithSampleKey([]byte("short")), "sample key: 5 bytes"},
		{decisionlog.WithChainKey(nil), "chain key is nil"},
		{decisionlog.WithHeadInterval(5), "head interval"},
		{decisionlog.WithMaxFileSize(1), "file size 1"},
		{decisionlog.WithMaxFileAge(time.Millisecond), "file age 1ms"},
		{decisionlog.WithMaxFiles(0), "0 files"},
		{decisionlog.WithMaxFiles(3), "cannot be rotated"},
		{decisionlog.WithLogger(nil), "logger is nil"},
		{decisionlog.WithClock(nil), "clock is nil"},
		{nil, "option 1 is nil"},
	} {
		if _, err := decisionlog.New(new(bytes.Buffer), tt.opt); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
	if _, err := decisionlog.NewSlog(slog.Default(), decisionlog.WithHashChain()); err == nil {
		t.Error("a logger with a chain")
	}
}

// TestWritingAllocatesLittle: writing a decision allocates only the text of an address
// and the names of attributes, for any principal with at most 32 roles.
func TestWritingAllocatesLittle(t *testing.T) {
	l, err := decisionlog.New(new(nowhere), decisionlog.WithHashChain())
	must(t, err)
	const decided = 1000
	ctx := t.Context()
	for _, e := range eventsOf(t, "/reports/7", "alice", "bob", "") {
		n := testing.AllocsPerRun(20, func() {
			for range decided {
				l.Observe(ctx, e)
			}
			must(t, l.Flush(ctx))
		})
		if n > 2*decided+100 { // of Flush
			t.Errorf("%s: %v allocations of %d decisions", e.Outcome, n, decided)
		}
	}
	must(t, l.Close())
}

// TestBytesOfALine: lines of one release are verified by the next.
func TestBytesOfALine(t *testing.T) {
	e := eventsOf(t, "/reports/7", "bob")[0]
	e.Time, e.Duration = time.Date(2026, 11, 29, 1, 2, 3, 450_000_000, time.UTC), 7*time.Microsecond
	var out bytes.Buffer
	l, err := decisionlog.New(&out, decisionlog.WithHashChain())
	must(t, err)
	l.Observe(t.Context(), e)
	must(t, l.Close())
	lines := strings.Split(out.String(), "\n")
	const want = `{"v":1,"kind":"decision","seq":2,"time":"2026-11-29T01:02:03.45Z","outcome":"forbidden","status":403,"reason":"denied","gate":"authorize","scheme":"Name","rule":"policy.csv:3","revision":"abc",` +
		`"request":{"principal":"bob","tenant":"acme","token_roles":["viewer","ops \"b\""],"policy_roles":["editor"],"method":"GET","action":"GET","route":"/reports/{id}","resource":"/reports/7","attributes":{"region":"eu"}},` +
		`"duration_us":7,"client":"192.0.2.1","request_id":"req-1","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"`
	hash := make([]byte, sha256.Size)
	for i, line := range lines[:2] {
		body, chain, ok := strings.Cut(line, `,"chain":"`)
		sum := sha256.Sum256(append(hash, body...))
		hash = sum[:]
		if !ok || chain != hex.EncodeToString(hash)+`"}` {
			t.Errorf("line %d: %s", i+1, line)
		}
		if i == 1 && body != want {
			t.Errorf("got  %s\nwant %s", body, want)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	l, err := decisionlog.New(new(nowhere), decisionlog.WithHashChain())
	must(b, err)
	e := eventsOf(b, "/reports/7", "bob")[0]
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		l.Observe(ctx, e)
	}
	must(b, l.Close())
	s := l.Stats()
	b.ReportMetric(float64(s.Written)/float64(s.Written+s.QueueFull), "written/op")
}

// nowhere discards everything.
type nowhere struct{}

func (*nowhere) Write(p []byte) (int, error) { return len(p), nil }

// absent is a writer and a handler of a logger that panics on demand.
type absent struct {
	slog.Handler
	bytes.Buffer
	panics atomic.Bool
}

func (a *absent) Enabled(context.Context, slog.Level) bool { return true }

func (a *absent) Handle(context.Context, slog.Record) error {
	_, err := a.Write([]byte("record\n"))
	return err
}

func (a *absent) Write(p []byte) (int, error) {
	if a.panics.Load() {
		panic("it is gone")
	}
	return a.Buffer.Write(p)
}

// TestPanics of what the application provides are failures to write, even if the logger
// that would be told panics too.
func TestPanics(t *testing.T) {
	t.Parallel()
	e := eventsOf(t, "/reports/7", "bob")[0]
	for name, start := range map[string]func(*absent, ...decisionlog.Option) (*decisionlog.Log, error){
		"writer": func(a *absent, opts ...decisionlog.Option) (*decisionlog.Log, error) {
			return decisionlog.New(a, append(opts, decisionlog.WithHashChain())...)
		},
		"logger": func(a *absent, opts ...decisionlog.Option) (*decisionlog.Log, error) {
			return decisionlog.NewSlog(slog.New(a), opts...)
		},
	} {
		out := new(absent)
		l, err := start(out, decisionlog.WithLogger(slog.New(out)))
		must(t, err)
		for _, panics := range []bool{false, true, true, false} {
			out.panics.Store(panics)
			l.Observe(t.Context(), e)
			_ = l.Flush(t.Context()) // the writer may already be done
		}
		must(t, l.Close())
		if s := l.Stats(); s.Written != 2 || s.WriteFailed != 2 {
			t.Errorf("%s: stats %+v", name, s)
		}
		out.panics.Store(true)
		if _, err := start(out); err == nil {
			t.Errorf("%s: a log begins without its first line", name)
		}
	}
}
