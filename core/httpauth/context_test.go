package httpauth_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/rule"
)

type anybody struct{}

func (anybody) VerifyToken(context.Context, string) (*core.Principal, error) {
	return core.NewPrincipal(core.PrincipalInfo{ID: "alice"})
}

// quietGuard takes any bearer token, and logs nothing.
func quietGuard(t *testing.T) *core.Guard {
	t.Helper()
	a, err := bearer.New("api", anybody{})
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	g, err := core.NewGuard([]core.Authenticator{a}, core.WithLogger(quiet), core.WithObserver(core.LogObserver(quiet)))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// A handler that goes on with a context of its own, which knows of no gate, has
// its refusals sealed as well.
func TestRefusalUnderAnotherContextIsSealed(t *testing.T) {
	g := quietGuard(t)
	goOn := func(w http.ResponseWriter) {
		w.Header().Set("X-Late", "late")
		_, _ = io.WriteString(w, "late")
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_, _ = io.WriteString(conn, "late")
			_ = conn.Close()
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"check": func(w http.ResponseWriter, r *http.Request) {
			_ = httpauth.Check(w, r.WithContext(context.Background()), g, rule.Role("admin"))
			goOn(w)
		},
		"gate": func(w http.ResponseWriter, r *http.Request) {
			httpauth.Require(g, rule.Role("admin"))(http.NotFoundHandler()).ServeHTTP(w, r.WithContext(context.Background()))
			goOn(w)
		},
	} {
		srv := httptest.NewServer(httpauth.Authenticate(g)(h))
		defer srv.Close()
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n")
		sent, err := io.ReadAll(conn)
		_ = conn.Close()
		if !strings.HasPrefix(string(sent), "HTTP/1.1 403 ") || strings.Contains(string(sent), "late") || err != nil {
			t.Errorf("%s: %q, %v", name, sent, err)
		}
	}
}

// A refusal has the encoding that the response had at the gate, by what stands in
// front of it and encodes what it is given, and not that of the handler.
func TestEncodingOfARefusal(t *testing.T) {
	g := quietGuard(t)
	h := httpauth.Authenticate(g)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "late")
		_ = httpauth.Check(w, r, g, rule.Role("admin"))
	}))
	for _, lines := range [][]string{nil, {"gzip"}, {"gzip", "br"}} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", "Bearer x")
		for _, line := range lines {
			w.Header().Add("Content-Encoding", line)
		}
		h.ServeHTTP(w, r)
		if got := strings.Join(w.Header()["Content-Encoding"], ", "); got != strings.Join(lines, ", ") || w.Code != http.StatusForbidden {
			t.Errorf("%q: answered %d in %q", lines, w.Code, got)
		}
	}
}

// TestAnswersToPartsArePrivate: a part of a batch has a response of its own, which is
// an answer to the same principal.
func TestAnswersToPartsArePrivate(t *testing.T) {
	gate := httpauth.Authenticate(quietGuard(t))
	part := gate(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public")
		w.Header().Set("Vary", "Accept")
		w.WriteHeader(http.StatusNoContent)
	}))
	var sent http.Header
	batch := gate(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		w := httptest.NewRecorder()
		part.ServeHTTP(w, httptest.NewRequest("GET", "/part", nil).WithContext(r.Context()))
		sent = w.Result().Header
	}))
	r := httptest.NewRequest("POST", "/batch", nil)
	r.Header.Set("Authorization", "Bearer token")
	batch.ServeHTTP(httptest.NewRecorder(), r)
	if cache, vary := sent.Get("Cache-Control"), strings.Join(sent.Values("Vary"), ", "); cache != "private" || vary != "Accept, Authorization" {
		t.Errorf("Cache-Control %q, Vary %q", cache, vary)
	}
}

// A part of a batch that is refused has the answer, and the batch has its own.
func TestRefusalsOfPartsAreTheirs(t *testing.T) {
	g := quietGuard(t)
	for by, refuse := range refusals(g) {
		part := httptest.NewRecorder()
		batch := httpauth.Authenticate(g)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			refuse(part, httptest.NewRequest("GET", "/part", nil).WithContext(r.Context()))
			_, _ = io.WriteString(w, "batch")
		}))
		w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "/batch", nil)
		r.Header.Set("Authorization", "Bearer token")
		batch.ServeHTTP(w, r)
		if part.Code != http.StatusForbidden || w.Code != http.StatusOK || w.Body.String() != "batch" {
			t.Errorf("%s: the part is %d, the batch %d %s", by, part.Code, w.Code, w.Body)
		}
	}
}
