package doctor

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"math"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// writers are the handlers that may have written a log.
func writers(to *bytes.Buffer) map[string]*slog.Logger {
	return map[string]*slog.Logger{
		"json": slog.New(slog.NewJSONHandler(to, nil)),
		"text": slog.New(slog.NewTextHandler(to, nil)),
	}
}

// events are a service's requests: 100 that pass two gates, and refusals.
func events(o core.Observer, refused map[Kind]int) {
	ctx := context.Background()
	for range 100 {
		for _, gate := range []string{"authenticate", "authorize"} {
			o.Observe(ctx, core.Event{Outcome: core.OutcomeAllowed, Reason: core.ReasonAllowed, Status: 200, Gate: gate, Method: "GET", Route: "/reports/:id", Scheme: "Bearer"})
		}
	}
	for k, n := range refused {
		for range n {
			rule := ""
			if k.Outcome == "forbidden" {
				rule = `rule.Role("a = b")`
			}
			o.Observe(ctx, core.Event{Outcome: core.Outcome(k.Outcome), Reason: core.Reason(k.Reason), Status: statuses[k.Outcome], Gate: "authorize",
				Method: "GET \"x\"=y", Route: "/reports/:id", Scheme: "Bearer", Rule: rule, PrincipalID: "mallory outcome=allowed"})
		}
	}
}

// TestTheLastCauseIsNamed: it says more than the reason, such as which aud a token has.
func TestTheLastCauseIsNamed(t *testing.T) {
	t.Parallel()
	for _, k := range []Kind{{"unavailable", "dependency_unavailable"}, {"error", "panic"}, {"unauthenticated", "wrong_audience"}, {"bad_request", "ambiguous_path"}} {
		var text bytes.Buffer
		o := core.LogObserver(slog.New(slog.NewTextHandler(&text, nil)))
		for _, cause := range []string{"the first", k.Reason + ": what it was", ""} {
			var err error
			if cause != "" {
				err = errors.New(cause)
			}
			o.Observe(t.Context(), core.Event{Outcome: core.Outcome(k.Outcome), Reason: core.Reason(k.Reason), Gate: "authorize", Cause: err})
		}
		c, err := ReadLog(&text)
		if err != nil {
			t.Fatal(err)
		}
		for _, counts := range []*Counts{c, Together([]*Counts{c, {}})} {
			found := counts.Diagnose()
			if len(found) != 1 || !strings.HasSuffix(found[0].Seen, "; the last: what it was") {
				t.Errorf("%v: got %+v", k, found)
			}
		}
	}
}

// TestADevelopmentKeyIsAlwaysFound: a single 503 may be all that there is of it.
func TestADevelopmentKeyIsAlwaysFound(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	events(core.LogObserver(slog.New(slog.NewTextHandler(&text, nil))), map[Kind]int{{"unavailable", "development_key"}: 1, {"unavailable", "unknown_key"}: 1})
	c, err := ReadLog(&text)
	if err != nil {
		t.Fatal(err)
	}
	if found := c.Diagnose(); len(found) != 1 || !strings.Contains(found[0].Seen, "reason development_key") {
		t.Errorf("got %+v", found)
	}
}

// TestAStoreThatDoesNotAnswerIsNamed: by the last log line about it, and by its
// age in metrics, which also show decisions missing from the log.
func TestAStoreThatDoesNotAnswerIsNamed(t *testing.T) {
	t.Parallel()
	const stale = `{"level":"ERROR","msg":"policy stale, its source does not answer","revision":"a","outcome":"stale","error":"no route to host"}` + "\n"
	const unread = `{"level":"ERROR","msg":"revocations not read from their log, those that are known stay in force","error":"no route to host"}` + "\n"
	for text, want := range map[string]string{
		stale: dependency,
		stale + `{"level":"INFO","msg":"policy unchanged","revision":"a","outcome":"unchanged"}` + "\n": "",
		unread: dependency,
		unread + `{"level":"INFO","msg":"revocations read from their log again"}` + "\n": "",
	} {
		c, err := ReadLog(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if found := c.Diagnose(); want == "" && len(found) > 0 || want != "" && (len(found) != 1 || found[0].Plumbing != want) {
			t.Errorf("%s: %+v, want %q", text, found, want)
		}
	}
	page := func(age, lost int) Sample {
		s, err := ReadMetrics(strings.NewReader(fmt.Sprintf(`sallyport_requests_total{sallyport_outcome="allowed"} 1
# TYPE sallyport_source_age_seconds gauge
sallyport_source_age_seconds{sallyport_source_kind="policy",sallyport_source_name="reports"} %d
# TYPE sallyport_decisionlog_decisions_total counter
sallyport_decisionlog_decisions_total{sallyport_decisionlog_name="reports",sallyport_result="queue_full"} %d
sallyport_decisionlog_decisions_total{sallyport_decisionlog_name="reports",sallyport_result="written"} 7
`, age, lost)))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, tt := range []struct {
		before, now Sample
		want        []string
	}{
		{nil, page(5, 0), nil},
		{nil, page(300, 0), []string{dependency}},
		{nil, page(5, 3), []string{program}},
		{page(5, 3), page(5, 3), nil},
		{page(5, 3), page(5, 4), []string{program}},
	} {
		var got []string
		for _, f := range tt.now.CountsSince(tt.before).Diagnose() {
			got = append(got, f.Plumbing)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%v, want %v", got, tt.want)
		}
	}
}

func TestEachBurstIsNamed(t *testing.T) {
	t.Parallel()
	for want, k := range map[string]Kind{
		identity: {"unauthenticated", "expired"}, policy: {"forbidden", "missing_role"}, guessing: {"unauthenticated", "wrong_secret"},
		keys: {"unauthenticated", "unknown_key"}, dependency: {"unavailable", "dependency_unavailable"}, program: {"error", "panic"},
		requests: {"bad_request", "ambiguous_path"},
	} {
		var text bytes.Buffer
		for form, l := range writers(&text) {
			text.Reset()
			text.WriteString("a line of something else = 1\n{\"msg\":\"access\"}\n{broken\n")
			events(core.LogObserver(l), map[Kind]int{k: 50})
			c, err := ReadLog(&text)
			if err != nil {
				t.Fatal(err)
			}
			if c.Allowed != 100 || c.Total() != 150 {
				t.Errorf("%s, %s: %v of %v requests are allowed, want 100 of 150", want, form, c.Allowed, c.Total())
			}
			found := c.Diagnose()
			if len(found) != 1 || found[0].Plumbing != want || found[0].Count != 50 || found[0].Look == "" {
				t.Fatalf("%s, %s: got %+v", want, form, found)
			}
			if seen := found[0].Seen; !strings.Contains(seen, "50 of 150 requests are") || !strings.Contains(seen, k.Reason) || !strings.Contains(seen, "at /reports/:id") {
				t.Errorf("%s, %s: %s", want, form, seen)
			}
			if want == policy && !strings.Contains(found[0].Seen, `by rule.Role("a = b")`) {
				t.Errorf("%s: %s", form, found[0].Seen)
			}
		}
	}
}

func TestTheDefaultHandlerIsRead(t *testing.T) {
	var text bytes.Buffer
	before, flags := log.Writer(), log.Flags()
	defer func() { log.SetOutput(before); log.SetFlags(flags) }()
	log.SetOutput(&text)
	events(core.LogObserver(nil), map[Kind]int{{"forbidden", "missing_role"}: 50})
	c, err := ReadLog(&text)
	if err != nil {
		t.Fatal(err)
	}
	if found := c.Diagnose(); len(found) != 1 || found[0].Plumbing != policy || found[0].Count != 50 || c.Allowed != 100 {
		t.Errorf("got %+v, %v allowed", found, c.Allowed)
	}
}

func TestNormalTrafficIsNotAFinding(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	events(core.LogObserver(slog.New(slog.NewTextHandler(&text, nil))), map[Kind]int{{"unauthenticated", "expired"}: 4, {"forbidden", "missing_role"}: 4})
	c, err := ReadLog(&text)
	if err != nil {
		t.Fatal(err)
	}
	if found := c.Diagnose(); len(found) != 0 {
		t.Errorf("got %+v", found)
	}
}

func TestARejectedPolicyIsAFindingUntilItIsFixed(t *testing.T) {
	t.Parallel()
	const rejected = `level=ERROR msg="policy rejected, the last good one stays in force" outcome=rejected revision=012 rules=1 role_links=0 duration=1ms` + "\n" +
		`level=WARN msg="policy: policy.csv:2:1: warning: duplicate_rule: it repeats line 1" code=duplicate_rule` + "\n" +
		`level=ERROR msg="policy: policy.csv:3:7: error: field_count: a p line has 3 fields" code=field_count` + "\n" +
		`level=ERROR msg="policy: policy.csv:4:7: error: field_count: a p line has 3 fields" code=field_count` + "\n"
	const loaded = `level=INFO msg="policy loaded" outcome=loaded revision=345 rules=2 role_links=0 duration=1ms` + "\n"
	c, err := ReadLog(strings.NewReader(loaded + rejected + rejected))
	if err != nil {
		t.Fatal(err)
	}
	if found := c.Diagnose(); len(found) != 1 || found[0].Plumbing != policy || !strings.HasSuffix(found[0].Seen, "in force: policy.csv:3:7: error: field_count: a p line has 3 fields") {
		t.Errorf("got %+v", found)
	}
	if c, err = ReadLog(strings.NewReader(rejected + loaded)); err != nil || len(c.Diagnose()) != 0 {
		t.Errorf("once it is fixed: %+v, %v", c.Diagnose(), err)
	}
}

// page is a metrics page with a number of refusals.
func page(allowed, forbidden int, more string) string {
	return fmt.Sprintf(`# TYPE sallyport_requests_total counter
sallyport_requests_total{sallyport_outcome="allowed"} %d
sallyport_requests_total{sallyport_outcome="forbidden"} %d
# TYPE sallyport_refusals_total counter
sallyport_refusals_total{http_route="/reports/:id",sallyport_outcome="forbidden",sallyport_reason="denied_by_rule",sallyport_rule="policy.csv:12",sallyport_scheme="Bearer"} %d
%s`, allowed, forbidden, forbidden, more)
}

func sample(t *testing.T, text string) Sample {
	t.Helper()
	s, err := ReadMetrics(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMetricsAreCountedBetweenTwoReadings(t *testing.T) {
	t.Parallel()
	before, now := sample(t, page(1000, 500, "")), sample(t, page(1100, 520, ""))
	c := now.CountsSince(before)
	if c.Allowed != 100 || c.Total() != 120 {
		t.Errorf("%v of %v are allowed, want 100 of 120", c.Allowed, c.Total())
	}
	found := c.Diagnose()
	if len(found) != 1 || found[0].Plumbing != policy || found[0].Seen != "20 of 120 requests are 403, reason denied_by_rule at /reports/:id by policy.csv:12 with Bearer" {
		t.Errorf("got %+v", found)
	}
	if c := now.CountsSince(nil); c.Refused[Kind{"forbidden", "denied_by_rule"}].Number != 520 {
		t.Errorf("since the start: %+v", c)
	}
	if c := sample(t, page(30, 5, "")).CountsSince(now); c.Allowed != 30 || c.Total() != 35 {
		t.Errorf("of a restarted service: %v of %v are allowed, want 30 of 35", c.Allowed, c.Total())
	}
	for _, odd := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1} {
		if n := since(odd, 1); n != 0 {
			t.Errorf("%v counts as %v", odd, n)
		}
	}
}

func TestGaugesTellWhatIsBrokenNow(t *testing.T) {
	t.Parallel()
	c := sample(t, page(1, 0, `# TYPE sallyport_policy_outdated_seconds gauge
sallyport_policy_outdated_seconds{sallyport_policy_name="reports"} 90
# TYPE sallyport_keyset_keys gauge
sallyport_keyset_keys{sallyport_keyset_name="idp"} 0
sallyport_keyset_keys{sallyport_keyset_name="other"} 2
# TYPE sallyport_keyset_age_seconds gauge
sallyport_keyset_age_seconds{sallyport_keyset_name="idp"} 10
sallyport_keyset_age_seconds{sallyport_keyset_name="other"} 9000
`)).CountsSince(nil)
	var seen []string
	for _, f := range c.Diagnose() {
		seen = append(seen, f.Plumbing+": "+f.Seen)
	}
	want := []string{
		"policy: the policy reports has been older than its source for 1m30s", "keys: there are no keys of idp",
		"keys: other has not confirmed its keys for 2h30m0s",
	}
	if !slices.Equal(seen, want) {
		t.Errorf("got %q, want %q", seen, want)
	}
	for _, text := range []string{"up 1\n", "{", ""} {
		if _, err := ReadMetrics(strings.NewReader(text)); err == nil {
			t.Errorf("%q is accepted as a service's page", text)
		}
	}
}

// TestAdviceIsThatOfThePage: the page and the command give the same advice.
func TestAdviceIsThatOfThePage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	_, tables, _ := strings.Cut(string(text), "## A burst of 401\n")
	tables, _, _ = strings.Cut(tables, "## Middleware order\n")
	link := regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	listed := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*) \\| ([^|]*) \\|$").FindAllStringSubmatch(tables, -1) {
		plain := strings.ReplaceAll(link.ReplaceAllString(row[2], "$1"), "`", "")
		for _, reason := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			listed[reason[1]] = plain
		}
	}
	if len(listed) < 30 {
		t.Fatalf("only %d reasons found on the page", len(listed))
	}
	for _, reason := range slices.Sorted(maps.Keys(listed)) {
		if advice[reason] != listed[reason] {
			t.Errorf("%s: the page says %q, the command %q", reason, listed[reason], advice[reason])
		}
	}
	if len(advice) != len(listed) {
		t.Errorf("the command has advice for %d reasons, the page for %d", len(advice), len(listed))
	}
}

// TestEachReasonHasAdvice: each reason for a refusal is in a table of the page, or is
// advised on by its outcome.
func TestEachReasonHasAdvice(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## Reason codes\n")
	rows := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (401|403|503)[0-9, ]* \\|").FindAllStringSubmatch(table, -1)
	if len(rows) < 50 {
		t.Fatalf("only %d reasons found on the page", len(rows))
	}
	for _, row := range rows {
		if advice[row[1]] == "" {
			t.Errorf("the page has no advice for %s", row[1])
		}
	}
}

// TestWrappedLinesAreRead: lines are read in each form in which log collectors forward
// them.
func TestWrappedLinesAreRead(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	for form, l := range writers(&text) {
		text.Reset()
		events(core.LogObserver(l), map[Kind]int{{"forbidden", "missing_role"}: 50})
		plain := text.String()
		var zipped bytes.Buffer
		w := gzip.NewWriter(&zipped)
		if _, err := io.WriteString(w, plain); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		each := func(wrap func(line string) string) string {
			var all strings.Builder
			for line := range strings.Lines(plain) {
				all.WriteString(wrap(strings.TrimSuffix(line, "\n")) + "\n")
			}
			return all.String()
		}
		member := func(name string) string {
			return each(func(line string) string {
				wrapped, err := json.Marshal(map[string]string{name: line + "\n", "stream": "stderr"})
				if err != nil {
					t.Fatal(err)
				}
				return string(wrapped)
			})
		}
		for name, log := range map[string]string{
			"gzip": zipped.String(), "byte order mark": "\xef\xbb\xbf" + plain, "CRLF": strings.ReplaceAll(plain, "\n", "\r\n"),
			"Docker": member("log"), "journal": member("MESSAGE"),
			"Kubernetes":     each(func(line string) string { return "2026-11-29T12:00:00.1Z stderr F " + line }),
			"Docker Compose": each(func(line string) string { return "reports-1  | " + line }),
		} {
			c, err := ReadLog(strings.NewReader(log))
			if err != nil {
				t.Fatalf("%s, %s: %v", form, name, err)
			}
			found := c.Diagnose()
			if c.Allowed != 100 || len(found) != 1 || found[0].Plumbing != policy || found[0].Count != 50 || len(c.Unread) > 0 {
				t.Errorf("%s, %s: %v allowed, %+v, unread %v", form, name, c.Allowed, found, c.Unread)
			}
		}
	}
}

// repeated returns a text repeated up to a size.
type repeated struct {
	text string
	left int
	at   int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	for n < len(p) && r.left > 0 {
		m := copy(p[n:], r.text[r.at:])
		n, r.left, r.at = n+m, r.left-m, (r.at+m)%len(r.text)
	}
	return n, nil
}

// A log larger than the memory, and one of a single line, take no more memory than a
// line.
func TestALogOfAnySizeIsRead(t *testing.T) {
	const line = `{"time":"2026-11-29T12:00:00Z","level":"WARN","msg":"access","outcome":"forbidden","status":403,"reason":"missing_role","gate":"authorize","method":"GET","route":"/reports/:id"}` + "\n"
	const size = 32 << 20
	for name, tt := range map[string]struct {
		text  string
		lines int
		found int
	}{
		"many lines": {line, size / len(line), 1}, "one line": {"x", 1, 0},
		"many lines of others": {"2026-11-29 GET /reports 200 0.001\n", size / len("2026-11-29 GET /reports 200 0.001\n"), 0},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c, err := ReadLog(&repeated{text: tt.text, left: size})
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > size/4 {
			t.Errorf("%s: %d bytes are held", name, held)
		}
		if c.Lines < tt.lines || c.Lines > tt.lines+1 || len(c.Diagnose()) != tt.found || (c.Unread[tooLong] == 1) != (name == "one line") {
			t.Errorf("%s: %d lines, want %d; %+v, unread %v", name, c.Lines, tt.lines, c.Diagnose(), c.Unread)
		}
	}
}

// Invented reasons and routes do not fill the memory.
func TestMadeUpReasonsAreBounded(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	const lines = 20_000
	for i := range lines {
		fmt.Fprintf(&text, "level=WARN msg=access outcome=forbidden status=403 reason=made_%d gate=check route=/made/%d rule=rule%d\n", i/2, i, i)
	}
	c, err := ReadLog(strings.NewReader(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	if c.Total() != lines || len(c.Refused) > maxValues+1 || len(c.Refused[Kind{"forbidden", "_other"}].Routes) > maxValues {
		t.Errorf("%v requests of %d kinds", c.Total(), len(c.Refused))
	}
	if sum := Together([]*Counts{c, c}); sum.Total() != 2*lines || len(sum.Refused) > maxValues+7 {
		t.Errorf("twice: %v requests of %d kinds", sum.Total(), len(sum.Refused))
	}
}

func FuzzReadLog(f *testing.F) {
	for _, s := range []string{`level=WARN msg=access outcome=forbidden reason="a b" gate=check`, `{"msg":"access","outcome":"x","gate":1}`, `a="`, `=`, `a==b"`, "\"\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ReadLog(strings.NewReader(s))
		if err == nil && c.Total() > float64(strings.Count(s, "\n")+1) {
			t.Errorf("%q has %v requests", s, c.Total())
		}
		if err == nil {
			c.Diagnose()
		}
	})
}
