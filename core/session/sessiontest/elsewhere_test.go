package sessiontest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/session"
)

var elsewhereSemantics = []testCase{
	{"a sign-in elsewhere that failed leads to the sign-in page, and is an event", elsewhereFailed},
	{"attack: flooding with sign-ins elsewhere", elsewhereLimited},
	{"attack: fixation by a sign-in elsewhere", elsewhereFixation},
}

func elsewhereFailed(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	b := s.browser(t)
	leads(t, "nobody", b.comesBack("user=nobody&return_to=%2Freports"), "/login?error=invalid_credentials&return_to=%2Freports")
	if e := s.events.Last(t); e.Gate != "sign_in" || e.Outcome != core.OutcomeUnauthenticated || e.Reason != core.ReasonWrongSecret || b.id != "" {
		t.Errorf("event %s %s %s, session %q", e.Gate, e.Outcome, e.Reason, b.id)
	}
}

func elsewhereLimited(t *testing.T, f authtest.Framework) {
	l := &limiter{refuse: "an account"}
	s := serve(t, f, session.WithAnswers(core.WithAttemptLimiter(l)))
	s.browser(t).comesBack("user=nobody")
	if got := l.all(); !strings.HasPrefix(got, "allow ; : wrong_secret: ") {
		t.Errorf("the limiter heard %q", got)
	}
	s = serve(t, f, session.WithAnswers(core.WithAttemptLimiter(new(limiter)))) // refuses who names no account
	a := s.browser(t).comesBack("user=alice")
	if a.Status != http.StatusTooManyRequests || a.Header.Get("Retry-After") != "60" || a.Header.Get("Location") != "" || s.verified.Load() != 0 {
		t.Errorf("%d %v, %d looked at, want 429 and none", a.Status, a.Header, s.verified.Load())
	}
}

func elsewhereFixation(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	mallory := s.signedIn(t, "mallory")
	b := s.browser(t)
	b.id = mallory.id
	leads(t, "a planted cookie", b.comesBack("user=alice"), "/")
	if b.id == mallory.id {
		t.Error("the planted session goes on")
	}
	b.is("alice")
	b.isOver(mallory.id, session.ReasonReplaced)
}
