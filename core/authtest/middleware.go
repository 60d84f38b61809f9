package authtest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// MiddlewareSecret is the body sent by handlers behind the gates of [CheckMiddleware].
const MiddlewareSecret = "what only alice may read"

// MiddlewareRule returns a rule that allows alice.
func MiddlewareRule() core.Authorizer { return only("alice") }

// MiddlewareGuard returns a guard for [CheckMiddleware], on [Names] with MiddlewareRule as
// its authorizer.
func MiddlewareGuard(t testing.TB, opts ...core.Option) *core.Guard {
	t.Helper()
	g, _ := guard(t, append(opts, core.WithAuthorizer(MiddlewareRule()))...)
	return g
}

// CheckMiddleware tests an app with a middleware in front of the gates or behind them. Its
// routes are /gate, behind the gate Authorize, and two behind Optional: the handler of
// /check returns after a refused check, and that of /wrong does not. A refusal must be a
// single answer, with its own status and challenge and nothing from a handler; whoever is
// allowed must be served.
func CheckMiddleware(t *testing.T, url string) {
	t.Helper()
	for _, path := range []string{"/gate", "/check", "/wrong"} {
		for _, encoding := range []string{"identity", "gzip"} {
			for credentials, status := range map[string]int{"": 401, "Name bad": 401, "Name bob": 403, "Name alice": 200} {
				a, err := fetch(url+path, credentials, encoding)
				if err == nil {
					err = a.one(status)
				}
				if err != nil {
					t.Errorf("%s as %q, %s: %v", path, credentials, encoding, err)
				}
			}
		}
	}
}

// one returns what is wrong with the answer to one request.
func (a Answer) one(status int) error {
	switch {
	case a.Status != status:
		return errors.New(http.StatusText(a.Status) + " in place of " + http.StatusText(status) + ": " + a.Body)
	case status == http.StatusOK && a.Body != MiddlewareSecret:
		return errors.New("body " + a.Body)
	case status == http.StatusOK:
		return nil
	case strings.Contains(a.Body, MiddlewareSecret):
		return errors.New("the handler's: " + a.Body)
	case (len(a.Header.Values("WWW-Authenticate")) == 1) != (status == http.StatusUnauthorized):
		return errors.New("challenges " + strings.Join(a.Header.Values("WWW-Authenticate"), ", "))
	case a.Header.Get("Content-Type") != "application/problem+json":
		return errors.New("type " + a.Header.Get("Content-Type"))
	case !json.Valid([]byte(a.Body)): // two JSON documents are not one
		return errors.New("body " + a.Body)
	case a.Header.Get("Cache-Control") != "no-store":
		return errors.New("Cache-Control " + a.Header.Get("Cache-Control"))
	}
	return nil
}

// fetch sends a request with a client that does not decompress answers.
func fetch(url, credentials, encoding string) (Answer, error) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return Answer{}, err
	}
	r.Close = true
	r.Header.Set("Accept-Encoding", encoding)
	if credentials != "" {
		r.Header.Set("Authorization", credentials)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.Header.Get("Content-Encoding") == "gzip" {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, err = io.ReadAll(z)
		}
	}
	return Answer{resp.StatusCode, resp.Header, string(body)}, err
}
