package authtest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var eventSemantics = []testCase{
	{"invariant 6 H21 events and logs hold no secret", noSecrets},
	{"H20 no client can forge or hide a log line", logLines},
}

// noSecrets: neither events nor log lines contain anything of Authorization, DPoP, Cookie,
// a key or the query, whatever the verdict.
func noSecrets(t *testing.T, f Framework) {
	const secret = "s3cr3t"
	var text, lines logBuffer
	log := core.LogObserver(slog.New(slog.NewTextHandler(&text, nil)))
	jsonLog := core.LogObserver(slog.New(slog.NewJSONHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug})))
	g, rec := guardOf(t, []core.Authenticator{bearerOn(t, tokens{}), newBasic(t, "r"), sessions{}},
		core.WithAuthorizer(secretive()), core.WithObserver(log), core.WithObserver(jsonLog))
	d := newDoor(t, f, Gate{Kind: "Optional", Guard: g}, Gate{Kind: "Authorize", Guard: g})
	for _, header := range []string{
		"Authorization: Bearer expired." + secret,
		"Authorization: Bearer down." + secret,
		"Authorization: Bearer bob." + secret,
		"Authorization: Bearer alice." + secret,
		"Authorization: Bearer breaker." + secret,
		"Authorization: Bearer " + secret + " x",
		"Authorization: Bearer " + secret + "\nAuthorization: Bearer " + secret,
		"Authorization: " + secret,
		"Authorization: " + secret + " x",
		"Authorization: Basic " + secret,
		login("bob", secret),
		login("unknown", secret),
		login("busy", secret),
		login("alice", secret+"\n"),
		"Cookie: session=bob; other=" + secret,
		"Proxy-Authorization: Basic " + secret,
		"X-Api-Key: " + secret,
		"DPoP: " + secret,
		"Authorization: DPoP " + secret + "\nDPoP: " + secret,
	} {
		a := Send(t, d.addr, Request("GET", "/door?token="+secret+"&access_token="+secret, header, "Cookie: theme="+secret))
		if strings.Contains(fmt.Sprint(a.Header)+a.Body, secret) {
			t.Errorf("%s: the answer holds it: %v %s", header, a.Header, a.Body)
		}
	}
	encoded := strings.Fields(login("bob", secret))[2]
	for _, e := range rec.Events() {
		if all := fmt.Sprintf("%+v %#v %v", e, e, e.Cause); strings.Contains(all, secret) || strings.Contains(all, encoded) {
			t.Errorf("an event holds it: %s", all)
		}
	}
	for _, log := range []string{text.String(), lines.String()} {
		if strings.Contains(log, secret) || strings.Contains(log, encoded) {
			t.Errorf("the log holds it:\n%s", log)
		}
		if n := strings.Count(log, "\n"); n < 19 {
			t.Errorf("%d log lines", n)
		}
	}
}

// logLines: unprintable text from clients is escaped, and long text is cut.
func logLines(t *testing.T, f Framework) {
	var raw logBuffer
	unescaped := slog.New(lineHandler{&raw})
	g, _ := guard(t, core.WithObserver(core.LogObserver(unescaped)))
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	hostile := "a\u202eb\u2028c\u0085d"
	d.get("X-Request-Id: "+hostile, as(hostile))
	d.get(as("x\u200b"), "X-Request-Id: "+strings.Repeat("long", 200))
	log := raw.String()
	for _, r := range hostile {
		if r > '~' && strings.ContainsRune(log, r) {
			t.Errorf("the log holds %U:\n%s", r, log)
		}
	}
	if !strings.Contains(log, `\u202e`) || strings.Contains(log, strings.Repeat("long", 100)) {
		t.Errorf("log:\n%s", log)
	}
	var out logBuffer
	core.LogObserver(slog.New(slog.NewJSONHandler(&out, nil))).Observe(context.Background(), core.Event{Status: http.StatusForbidden})
	if !json.Valid([]byte(out.String())) {
		t.Errorf("no JSON: %s", out.String())
	}
}

// lineHandler is a log handler that does not escape.
type lineHandler struct{ out *logBuffer }

func (lineHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h lineHandler) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h lineHandler) WithGroup(string) slog.Handler { return h }

func (h lineHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&b, "%s=%v ", a.Key, a.Value)
		return true
	})
	_, err := fmt.Fprintln(h.out, b.String())
	return err
}
