package forwardauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/forwardauth"
	"github.com/sallyport-go/sallyport/core/respond"
)

// TestRefusalIsTheGuardsOwn: what the client of nginx gets is what the guard
// answers, to the byte, whatever nginx itself can pass on.
func TestRefusalIsTheGuardsOwn(t *testing.T) {
	pages, err := respond.New(respond.WithSignInRedirect("/login"))
	if err != nil {
		t.Fatal(err)
	}
	const page = "Accept: text/html"
	for _, c := range []struct {
		name    string
		target  string
		lines   []string
		options []core.Option
		check   int // the status that nginx sees
		status  int // the status that the client sees
	}{
		{"401", "/open", []string{nobody}, nil, 401, 401},
		{"403", "/secret", []string{alice}, nil, 403, 403},
		{"400", "/a//b", []string{alice}, nil, 403, 400},
		{"503", "/open", []string{"Authorization: Name down"}, nil, 503, 503},
		{"500", "/open", []string{"Authorization: Name panic"}, nil, 500, 500},
		{"429", "/open", []string{"Authorization: Basic YTpi"}, []core.Option{core.WithAttemptLimiter(closed{})}, 403, 429},
		{"concealed 401", "/open", []string{nobody}, []core.Option{core.WithConcealment(nil)}, 403, 404},
		{"concealed 403", "/secret", []string{alice}, []core.Option{core.WithConcealment(nil)}, 403, 404},
		{"sign-in page", "/open", []string{page, "Sec-Fetch-Mode: navigate"}, []core.Option{core.WithResponder(pages)}, 401, 303},
		{"page", "/secret", []string{page, alice}, []core.Option{core.WithResponder(pages)}, 403, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			build := func(p forwardauth.Proxy) *forwardauth.Service {
				guard, err := core.NewGuard([]core.Authenticator{authtest.Names{}, passwords(t)},
					append(c.options, core.WithAuthorizer(authtest.AuthorizerFunc(policy)), core.WithObserver(new(authtest.Recorder)))...)
				if err != nil {
					t.Fatal(err)
				}
				gate, err := guard.Authorize()
				if err != nil {
					t.Fatal(err)
				}
				s, err := forwardauth.New(gate, trusted(t), p)
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			nginx, plain := build(forwardauth.Nginx()), build(forwardauth.Traefik())
			checked := send(nginx.Check, asks("nginx", "GET", c.target, c.lines...))
			if checked.Code != c.check || checked.Body.Len() > 0 || len(checked.Header()) != 2 {
				t.Errorf("nginx sees %d, want %d; %v, body %q", checked.Code, c.check, checked.Header(), checked.Body)
			}
			got := send(nginx.Refusal, carries(checked.Header().Get(forwardauth.AnswerField)))
			want := send(plain.Check, asks("traefik", "GET", c.target, c.lines...))
			if want.Code != c.status {
				t.Fatalf("the guard answers %d, want %d", want.Code, c.status)
			}
			if got.Code != want.Code || got.Body.String() != want.Body.String() || !reflect.DeepEqual(got.Header(), want.Header()) {
				t.Errorf("the client gets %d %v %q\nthe guard's is %d %v %q", got.Code, got.Header(), got.Body, want.Code, want.Header(), want.Body)
			}
		})
	}
}

// closed is a limiter that lets nobody try.
type closed struct{}

func (closed) Allow(context.Context, core.Request, string) error {
	return &core.LimitError{RetryAfter: 9e9, Err: errors.New("closed")}
}
func (closed) Report(context.Context, core.Request, string, error) {}

func passwords(t testing.TB) core.Authenticator {
	t.Helper()
	a, err := basic.New("reports", basic.VerifierFunc(func(context.Context, string, string) (*core.Principal, error) {
		return nil, basic.ErrWrongPassword
	}))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// carries is the request that nginx makes for a refused one.
func carries(answer string) *http.Request {
	r := httptest.NewRequest("GET", "http://auth.internal/refusal", nil)
	r.RemoteAddr = peer
	if answer != "" {
		r.Header.Set(forwardauth.AnswerField, answer)
	}
	return r
}

// TestRefusalWithoutAnAnswer: nothing was found out, and nothing passes.
func TestRefusalWithoutAnAnswer(t *testing.T) {
	s, _ := service(t, forwardauth.Nginx())
	for _, answer := range []string{"", "x", "!", "AAAA", "MjAw"} {
		w := send(s.Refusal, carries(answer))
		if w.Code != 503 || w.Header().Get("Retry-After") != "5" || w.Header().Get("Cache-Control") != "no-store" || w.Body.Len() == 0 {
			t.Errorf("%q: %d %v", answer, w.Code, w.Header())
		}
	}
	twice := carries(send(s.Check, asks("nginx", "GET", "/secret", alice)).Header().Get(forwardauth.AnswerField))
	twice.Header.Add(forwardauth.AnswerField, "x")
	if w := send(s.Refusal, twice); w.Code != 503 {
		t.Errorf("two answers: %d", w.Code)
	}
}

// TestLongBodiesAreLeftOut, and nothing else of the answer is.
func TestLongBodiesAreLeftOut(t *testing.T) {
	long := make([]byte, 64<<10)
	for i, x := 0, uint32(1); i < len(long); i++ {
		x = x*1664525 + 1013904223 // hardly compressible
		long[i] = byte(x >> 24)
	}
	s, _ := serviceOf(t, forwardauth.Nginx(), []core.Option{core.WithResponder(core.ResponderFunc(func(core.Request, *core.Denial) core.Response {
		return core.Response{Status: 401, Body: long, Fields: []core.Field{{Name: "Content-Type", Value: "image/png"}, {Name: "X-Kept", Value: "yes"}}}
	}))})
	checked := send(s.Check, asks("nginx", "GET", "/open", nobody))
	answer := checked.Header().Get(forwardauth.AnswerField)
	w := send(s.Refusal, carries(answer))
	if len(answer) > 3<<10 || w.Code != 401 || w.Body.Len() > 0 || w.Header().Get("Content-Type") != "" || w.Header().Get("X-Kept") != "yes" ||
		w.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("%d bytes carried: %d %v", len(answer), w.Code, w.Header())
	}
}
