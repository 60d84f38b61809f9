package accounts_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/rule"
	"github.com/sallyport-go/sallyport/examples/internal/accounts"
)

func principal(t *testing.T, id string) *core.Principal {
	t.Helper()
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestStates asks the built-in lookup and the service, which must agree.
func TestStates(t *testing.T) {
	server := httptest.NewServer(accounts.Handler())
	defer server.Close()
	service, err := accounts.Service(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]rule.AccountState{
		"sam": rule.AccountSuspended, "victor": rule.AccountActive,
		"new": rule.AccountActive, "Sam": rule.AccountActive, "x&id=sam": rule.AccountActive, "../sam": rule.AccountActive,
	} {
		for name, lookup := range map[string]rule.AccountLookup{"built in": accounts.BuiltIn, "service": service} {
			if got, err := lookup(t.Context(), principal(t, id)); got != want || err != nil {
				t.Errorf("%s: %q is %v, %v, want %v", name, id, got, err, want)
			}
		}
	}
}

// TestOutage checks that whatever is no answer is an outage and not a state.
func TestOutage(t *testing.T) {
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"error":         answer(http.StatusInternalServerError, `{"state":"active"}`),
		"not found":     answer(http.StatusNotFound, `{"state":"active"}`),
		"redirect":      answer(http.StatusFound, `{"state":"active"}`),
		"no JSON":       answer(http.StatusOK, "active"),
		"unknown state": answer(http.StatusOK, `{"state":"unknown"}`),
		"no state":      answer(http.StatusOK, `{}`),
		"cut off": func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(h)
			defer server.Close()
			lookup, err := accounts.Service(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			wantUnavailable(t, lookup, t.Context())
		})
	}
	t.Run("no server", func(t *testing.T) {
		server := httptest.NewServer(accounts.Handler())
		server.Close()
		lookup, err := accounts.Service(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		wantUnavailable(t, lookup, t.Context())
	})
	t.Run("request over", func(t *testing.T) {
		server := httptest.NewServer(accounts.Handler())
		defer server.Close()
		lookup, err := accounts.Service(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		wantUnavailable(t, lookup, ctx)
	})
}

func wantUnavailable(t *testing.T, lookup rule.AccountLookup, ctx context.Context) { // t comes first
	t.Helper()
	state, err := lookup(ctx, principal(t, "victor"))
	var down *core.UnavailableError
	if state != rule.AccountUnknown || !errors.As(err, &down) || down.RetryAfter <= 0 {
		t.Errorf("got %v, %v, want an outage with a time to wait", state, err)
	}
}

func TestServiceAddress(t *testing.T) {
	for _, address := range []string{"", "accounts", "accounts:80", "ftp://accounts", "http://", "http://a b", "/accounts"} {
		if _, err := accounts.Service(address); err == nil {
			t.Errorf("%q is accepted", address)
		}
	}
}
