package casbinrules

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core/watch"
)

// logTo returns a logger whose lines have no time.
func logTo(b *bytes.Buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "duration" {
			return slog.Attr{}
		}
		return a
	}}))
}

func TestReloadsAreLogged(t *testing.T) {
	var out bytes.Buffer
	dir := t.TempDir()
	file := filepath.Join(dir, "policy.csv")
	write := func(text string) {
		t.Helper()
		if err := writeFile(file, text); err != nil {
			t.Fatal(err)
		}
	}
	write(annReads)
	a, err := Open(RBAC(), []string{file}, WithLogger(logTo(&out)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, policy string
		want         []string
	}{
		{"loaded", annReads + bobReads, []string{`level=INFO msg="policy loaded" outcome=loaded revision=`, ` rules=2 role_links=0 `, `old_revision=` + a.Version().Revision + ` added=1 removed=0 diff="+ p, bob, /x, GET (policy.csv:2)"`}},
		{"unchanged", annReads + bobReads, []string{`level=INFO msg="policy unchanged" outcome=unchanged`}},
		{"rejected", annReads + broken, []string{`level=ERROR msg="policy rejected, the last good one stays in force" outcome=rejected`, ` rules=2 `, `level=ERROR msg="policy: ` + file + `:2:9: error: field_count: `, `code=field_count`}},
		{"reordered", bobReads + annReads, []string{`added=0 removed=0 reordered=true`}},
		{"cut", bobReads + annReads + numbered(30), []string{`added=30`, `; + 20 more"`}},
		{"long", bobReads + annReads + numbered(30) + "p, ann, /" + strings.Repeat("ä", 1000) + ", GET\n", []string{"ää…"}},
	} {
		out.Reset()
		write(c.policy)
		_ = a.Reload(t.Context()) // what is rejected is meant to be
		for _, want := range c.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in\n%s", c.name, want, out.String())
			}
		}
	}
	out.Reset()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := a.Reload(t.Context()); err == nil || !strings.Contains(out.String(), `level=ERROR msg="policy not read, the last good one stays in force" outcome=failed`) {
		t.Errorf("removed: %v\n%s", err, out.String())
	}
}

// numbered returns n rules.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("p, ann, /" + strings.Repeat("n", i+1) + ", GET\n")
	}
	return b.String()
}

func TestLogsOfReloadsHoldNoForgedLines(t *testing.T) {
	const evil = "\n\x1b[2K\u202elevel=INFO"
	var out bytes.Buffer
	// A handler that does not escape.
	logger := slog.New(bareHandler{&out})
	logged := LogReloads(logger)
	rule := policy.StandaloneRule("p"+evil+".csv", 1, "p", "ann"+evil, "/x").RuleText()
	logged(t.Context(), ReloadEvent{Outcome: ReloadLoaded, AddedCount: 1, Added: []RuleText{rule}})
	logged(t.Context(), ReloadEvent{Outcome: ReloadFailed, Err: errors.New("open " + evil)})
	logged(t.Context(), ReloadEvent{Outcome: ReloadRejected, Findings: []Finding{{File: evil, Message: evil, Severity: SeverityError}}})
	logged(t.Context(), ReloadEvent{Outcome: ReloadDegraded, Err: errors.New(evil)})
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "policy") {
			t.Errorf("H20: forged line %q", line)
		}
	}
	if strings.ContainsAny(out.String(), "\x1b\u202e") {
		t.Errorf("H20: got %q", out.String())
	}
	// Without a logger it is slog's default at the time of the event.
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(logger)
	out.Reset()
	LogReloads(nil)(t.Context(), ReloadEvent{Outcome: ReloadUnchanged})
	if !strings.Contains(out.String(), "policy unchanged") {
		t.Errorf("got %q", out.String())
	}
}

// bareHandler writes records unchanged.
type bareHandler struct{ out *bytes.Buffer }

func (bareHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h bareHandler) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h bareHandler) WithGroup(string) slog.Handler { return h }

func (h bareHandler) Handle(_ context.Context, r slog.Record) error {
	h.out.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		h.out.WriteString(" " + a.Key + "=" + a.Value.String())
		return true
	})
	h.out.WriteString("\n")
	return nil
}

func TestAPanickingObserverChangesNothing(t *testing.T) {
	var out bytes.Buffer
	told := 0
	d := onDisk(t, RBAC(), annReads, WithLogger(logTo(&out)),
		WithReloadObserver(func(context.Context, ReloadEvent) { panic("observer\nlevel=INFO") }),
		WithReloadObserver(func(context.Context, ReloadEvent) { told++ }))
	d.write(t, bobReads)
	if err := d.Reload(t.Context()); err != nil || !reads(t, d.Authorizer, "bob") {
		t.Errorf("got %v", err)
	}
	if e := d.events.next(t); told != 1 || e.Outcome != ReloadLoaded {
		t.Errorf("the second observer was told %d times, the third of %+v", told, e)
	}
	if got := out.String(); !strings.Contains(got, "observer panicked") || strings.Count(got, "\n") != 1 {
		t.Errorf("logged %q", got)
	}
}

func TestAPolicyPutBackClearsTheStatus(t *testing.T) {
	d := onDisk(t, RBAC(), annReads, quick())
	for _, c := range []struct {
		name    string
		spoil   func() error
		outcome ReloadOutcome
	}{
		{"rejected", func() error { return writeFile(d.file, broken) }, ReloadRejected},
		{"removed", func() error { return os.Remove(d.file) }, ReloadFailed},
	} {
		if err := c.spoil(); err != nil {
			t.Fatal(err)
		}
		d.events.until(t, c.outcome)
		d.write(t, annReads)
		if e := d.events.until(t, ReloadUnchanged); e.New.Rules != 1 {
			t.Errorf("%s: event %+v", c.name, e)
		}
		if st := d.Status(); st.Err != nil {
			t.Errorf("%s: %+v", c.name, st)
		}
	}
}

func TestFilesWithoutEventsAreReportedAsDegraded(t *testing.T) {
	d := onDisk(t, RBAC(), annReads)
	d.unread(t.Context(), time.Now(), outcomeOf(watch.ErrPolling), watch.ErrPolling)
	if e := d.events.next(t); e.Outcome != ReloadDegraded || d.Status().Err != nil {
		t.Errorf("event %+v, status %+v", e, d.Status())
	}
}

func TestAPanicOfTheLoaderIsAnError(t *testing.T) {
	d := onDisk(t, RBAC(), annReads)
	if _, err := d.build(nil, nil, nil); err == nil || !strings.Contains(err.Error(), "panic") {
		t.Errorf("got %v", err)
	}
}
