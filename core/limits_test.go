package core_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
)

// guessable is a scheme whose credentials name an account.
type guessable struct{ *scheme }

func (g guessable) Scheme() core.Scheme {
	s := g.scheme.Scheme()
	s.Attempt = func(r core.Request) (string, bool) {
		value, n := r.Header("Authorization")
		return value, n == 1
	}
	return s
}

// limiter refuses as configured, and records its calls.
type limiter struct {
	refusal error
	asked   []string
	reports []string
}

func (l *limiter) Allow(_ context.Context, _ core.Request, account string) error {
	l.asked = append(l.asked, account)
	return l.refusal
}

func (l *limiter) Report(_ context.Context, _ core.Request, account string, err error) {
	l.reports = append(l.reports, fmt.Sprintf("%s: %v", account, err))
}

func TestAttemptsAreCounted(t *testing.T) {
	s, l := newScheme(t, "Basic"), &limiter{}
	g, _ := newGuard(t, []core.Authenticator{guessable{s}, newScheme(t, "Other")}, core.WithAttemptLimiter(l))
	gate := mounted(t)(g.Authenticate())
	for _, line := range []string{"Authorization: Basic alice", "Authorization: Basic wrong", "X-None: 1"} {
		gate.Check(t.Context(), get("/", line))
	}
	if want := []string{"Basic alice", "Basic wrong"}; !slices.Equal(l.asked, want) {
		t.Errorf("asked for %q", l.asked)
	}
	if want := []string{"Basic alice: <nil>", "Basic wrong: wrong_secret"}; !slices.Equal(l.reports, want) {
		t.Errorf("told %q", l.reports)
	}
}

// RFC 6585 §4: 429 with Retry-After; the credentials are not examined.
func TestAnAttemptTooManyIsNotLookedAt(t *testing.T) {
	for _, tt := range []struct {
		refusal error
		status  int
		retry   string
		outcome core.Outcome
	}{
		{&core.LimitError{RetryAfter: 1500 * time.Millisecond, Err: errors.New("7 failures")}, 429, "2", core.OutcomeLimited},
		{&core.LimitError{Err: errors.New("7 failures")}, 429, "1", core.OutcomeLimited},
		{fmt.Errorf("store: %w", errDown), 503, "5", core.OutcomeUnavailable},
		{core.ErrNoCredentials, 500, "", core.OutcomeError}, // a limiter lets nobody in as a guest
	} {
		s, l := newScheme(t, "Basic"), &limiter{refusal: tt.refusal}
		g, o := newGuard(t, []core.Authenticator{guessable{s}}, core.WithAttemptLimiter(l))
		v := mounted(t)(g.Optional()).Check(t.Context(), get("/", "Authorization: Basic alice"))
		if v.Response == nil || v.Response.Status != tt.status || s.asked != 0 || len(l.reports) != 0 {
			t.Errorf("%v: %+v, asked %d times, told %q", tt.refusal, v.Response, s.asked, l.reports)
			continue
		}
		var retry []string
		if tt.retry != "" {
			retry = []string{tt.retry}
		}
		wantFields(t, v.Response.Fields, "Retry-After", retry...)
		wantFields(t, v.Response.Fields, "WWW-Authenticate")
		if e := o.last(t); e.Outcome != tt.outcome || e.Status != tt.status || e.Scheme != "Basic" {
			t.Errorf("%v: %+v", tt.refusal, e)
		}
	}
}

func TestBrokenLimiters(t *testing.T) {
	for name, opts := range map[string][]core.Option{
		"nil": {core.WithAttemptLimiter(nil)},
		"two": {core.WithAttemptLimiter(&limiter{}), core.WithAttemptLimiter(&limiter{})},
	} {
		if _, err := core.NewGuard([]core.Authenticator{newScheme(t, "Basic")}, opts...); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// RFC 9470 §3: a step-up is 401 if a scheme can ask for one, and 403 otherwise.
func TestStepUp(t *testing.T) {
	need := answering(core.Decision{Reason: core.ReasonWeakAuthentication, StepUp: &core.StepUp{ACRValues: []string{"gold"}}}, nil)
	for _, able := range []bool{true, false} {
		s := newScheme(t, "Bearer")
		s.challenges = func(err error) []challenge.Challenge {
			var step *core.StepUpError
			if able && errors.As(err, &step) && slices.Equal(step.ACRValues, []string{"gold"}) {
				return asking(t, core.CodeStepUp)
			}
			return asking(t, "")
		}
		g, o := newGuard(t, []core.Authenticator{s, newScheme(t, "Basic")})
		v := mounted(t)(g.Require(need)).Check(t.Context(), get("/", "Authorization: Bearer alice"))
		status, challenges := 403, []string(nil)
		if able {
			status, challenges = 401, []string{`Bearer realm="test", error="insufficient_user_authentication"`}
		}
		if v.Response == nil || v.Response.Status != status || v.Denial.Code != core.CodeStepUp {
			t.Fatalf("able %v: %+v", able, v.Response)
		}
		wantFields(t, v.Response.Fields, "WWW-Authenticate", challenges...)
		if e := o.last(t); e.Reason != core.ReasonWeakAuthentication || e.Status != status || e.PrincipalID != "alice" {
			t.Errorf("able %v: %+v", able, e)
		}
	}
}

// asking is a challenge with an error code, if there is one.
func asking(t *testing.T, code string) []challenge.Challenge {
	t.Helper()
	params := []challenge.Param{{Name: "realm", Value: "test"}}
	if code != "" {
		params = append(params, challenge.Param{Name: "error", Value: code})
	}
	c, err := challenge.New("Bearer", params...)
	if err != nil {
		t.Fatal(err)
	}
	return []challenge.Challenge{c}
}

// secured is a request over TLS.
type secured struct{ *request }

func (secured) TLS() *tls.ConnectionState { return &tls.ConnectionState{} }

// F10: a page loaded without TLS, which anyone on the network path can modify, is another
// origin.
func TestAnInsecurePageIsAnotherSiteOverTLS(t *testing.T) {
	for origin, refused := range map[string]bool{"http://example.com": true, "https://example.com": false} {
		r := get("/", "Origin: "+origin).with(http.MethodPost)
		if err := core.CrossSite(secured{r}); (err != nil) != refused {
			t.Errorf("%s over TLS: %v", origin, err)
		}
		if err := core.CrossSite(r); err != nil {
			t.Errorf("%s: %v", origin, err)
		}
	}
	for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
		if err := core.CrossSite(get("/", "Sec-Fetch-Site: cross-site").with(method)); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get", ""} {
		r := get("/", "Sec-Fetch-Site: cross-site").with(method)
		if err := core.CrossSite(r); (err == nil) != (method == "") { // "" stands for GET
			t.Errorf("%q: %v", method, err)
		}
	}
}

// The cause of a refusal does not quote megabytes of an Origin.
func TestACauseQuotesTheBeginningOfAnOrigin(t *testing.T) {
	origin := "https://" + strings.Repeat("\xff", 1<<20)
	for _, fields := range [][]string{{"Origin: " + origin}, {"Origin: " + origin, "Sec-Fetch-Site: cross-site" + origin}} {
		if err := core.CrossSite(get("/", fields...).with(http.MethodPost)); err == nil || len(err.Error()) > 4<<10 {
			t.Errorf("%d bytes", len(fmt.Sprint(err)))
		}
	}
}

// A variant whose gate one would answer differently does not rely on
// another's.
func TestAVariantWithItsOwnRolesAsksAgain(t *testing.T) {
	s := newScheme(t, "Basic")
	g, _ := newGuard(t, []core.Authenticator{s})
	first := mounted(t)(g.Authenticate()).Check(t.Context(), get("/", "Authorization: Basic alice"))
	same, err := g.With(core.WithRetryAfter(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	other, err := g.With(core.WithAuthorizer(allowing()))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		g     *core.Guard
		asked int
	}{{same, 1}, {other, 2}} {
		mounted(t)(tt.g.Authenticate()).Check(first.Context, get("/", "Authorization: Basic alice"))
		if s.asked != tt.asked {
			t.Errorf("asked %d times, want %d", s.asked, tt.asked)
		}
	}
}
