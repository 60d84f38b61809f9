package introspect_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/introspect"
)

func TestNewRefusesWhatCannotWork(t *testing.T) { // invariant 14
	const https = "https://issuer.example/introspect"
	me := introspect.Secret("me", "secret")
	type opts = []introspect.Option
	for _, tc := range []struct {
		name, endpoint string
		client         introspect.Client
		opts           opts
		want           string
	}{
		{"plain HTTP", "http://issuer.example/introspect", me, nil, "without TLS"},
		{"plain HTTP to a name like loopback", "http://localhost.example/", me, nil, "without TLS"},
		{"plain HTTP to a private address", "http://10.0.0.1/", me, nil, "without TLS"},
		{"no URL", "https://a b/", me, nil, "not a URL"},
		{"empty", "", me, nil, "not an absolute https URL"},
		{"relative", "/introspect", me, nil, "not an absolute https URL"},
		{"another scheme", "ftp://issuer.example/", me, nil, "not an absolute https URL"},
		{"no host", "https:///introspect", me, nil, "not an absolute https URL"},
		{"password in it", "https://me:hunter2@issuer.example/", me, nil, "contains a user"},
		{"fragment", https + "#x", me, nil, "fragment"},
		{"no client", https, introspect.Client{}, nil, "no client credentials"},
		{"no id", https, introspect.Secret("", "secret"), nil, "empty"},
		{"no secret", https, introspect.Secret("me", ""), nil, "empty"},
		{"no source", https, introspect.Token(nil), nil, "source is nil"},
		{"nil option", https, me, opts{nil}, "option 5 is nil"},
		{"empty issuer", https, me, opts{introspect.WithIssuer("")}, "issuer is empty"},
		{"two issuers", https, me, opts{introspect.WithIssuer("a"), introspect.WithIssuer("b")}, "a verifier for each"},
		{"issuer and none", https, me, opts{introspect.WithIssuer("a")}, "both WithIssuer"},
		{"audience and none", https, me, opts{introspect.WithAudience("a")}, "both WithAudience"},
		{"empty audience", https, me, opts{introspect.WithAudience()}, "audience is empty"},
		{"leeway", https, me, opts{introspect.WithLeeway(time.Second)}, "WithLeeway is given twice"},
		{"TTL", https, me, opts{introspect.WithCacheTTL(2 * time.Hour)}, "cache TTL 2h0m0s: must be from 0"},
		{"size", https, me, opts{introspect.WithCacheSize(0)}, "from 1 to"},
		{"huge size", https, me, opts{introspect.WithCacheSize(math.MaxInt)}, "from 1 to"},
		{"concurrency", https, me, opts{introspect.WithConcurrency(0)}, "from 1 to"},
		{"huge concurrency", https, me, opts{introspect.WithConcurrency(math.MaxInt)}, "from 1 to"},
		{"no timeout", https, me, opts{introspect.WithTimeout(0)}, "timeout 0s: must be above 0"},
		{"nil transport", https, me, opts{introspect.WithTransport(nil)}, "transport is nil"},
		{"nil clock", https, me, opts{introspect.WithClock(nil)}, "clock is nil"},
		{"TTL twice", https, me, opts{introspect.WithCacheTTL(0), introspect.WithCacheTTL(0)}, "WithCacheTTL is given twice"},
		{"scopes twice", https, me, opts{introspect.WithScopes("a"), introspect.WithScopes("b")}, "given twice"},
		{"tenant twice", https, me, opts{introspect.WithTenant("a"), introspect.WithTenant("b")}, "given twice"},
		{"ID twice", https, me, opts{introspect.WithID("a"), introspect.WithID("b")}, "given twice"},
		{"clients twice", https, me, opts{introspect.WithoutClients(), introspect.WithClientsAsUsers()}, "given twice"},
		{"empty prefix", https, me, opts{introspect.WithClientPrefix("")}, "client prefix is empty"},
		{"roles", https, me, opts{introspect.WithRoles("a..b")}, "empty part"},
		{"tenant", https, me, opts{introspect.WithTenant("")}, "is empty"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			base := opts{introspect.WithoutIssuer(), introspect.WithoutAudience(), introspect.WithLeeway(0), introspect.WithRoles("https://example.com/roles")}
			_, err := introspect.New(tc.endpoint, tc.client, append(base, tc.opts...)...)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("error %v, want %q in it", err, tc.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error contains a password: %v", err)
			}
		})
	}
	for name, o := range map[string]opts{
		"no issuer":   {introspect.WithoutAudience()},
		"no audience": {introspect.WithoutIssuer()},
	} {
		if _, err := introspect.New(https, me, o...); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestPlainHTTPOnPurpose(t *testing.T) {
	for endpoint, o := range map[string][]introspect.Option{
		"http://localhost:8080/introspect": nil,
		"http://127.0.0.1/introspect":      nil,
		"http://[::1]:8080/introspect":     nil,
		"http://issuer.internal/":          {introspect.WithPlainHTTP()},
	} {
		o = append(o, introspect.WithoutIssuer(), introspect.WithoutAudience())
		if _, err := introspect.New(endpoint, introspect.Secret("me", "secret"), o...); err != nil {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}

// roundTripper adapts a function to a transport.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestCallsUseTheTransport(t *testing.T) {
	down := errors.New("transport is down")
	var deadline bool
	v, _ := newVerifier(t, "https://issuer.example/introspect", introspect.WithTransport(roundTripper(func(r *http.Request) (*http.Response, error) {
		_, deadline = r.Context().Deadline()
		return nil, down
	})))
	_, err := v.VerifyToken(context.Background(), "opaque")
	if unavailable(t, err); !errors.Is(err, down) || !deadline || strings.Contains(err.Error(), "issuer.example") {
		t.Errorf("error %v, deadline %v", err, deadline)
	}
}
