package introspect

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/loopback"
	"github.com/sallyport-go/sallyport/core/internal/lostpeer"
	"github.com/sallyport-go/sallyport/core/internal/quiet"
)

// Client is how this service authenticates to the endpoint, which answers nobody
// else (RFC 7662 §2.1). The zero Client is refused.
type Client struct {
	// authorization returns the Authorization field of one call.
	authorization func(ctx context.Context) (string, error)
	err           error
}

// Secret authenticates the client with the given ID by its secret, as
// client_secret_basic: both are form-encoded before they are joined (RFC 6749
// §2.3.1).
func Secret(id, secret string) Client {
	if id == "" || secret == "" {
		return Client{err: errors.New("client id or secret is empty")}
	}
	pair := url.QueryEscape(id) + ":" + url.QueryEscape(secret)
	field := "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
	return Client{authorization: func(context.Context) (string, error) { return field, nil }}
}

// Token authenticates the client with an access token of its own, which source
// returns for each call. source must be safe for concurrent use and cache its token
// while it is valid; its error results in 503.
func Token(source func(ctx context.Context) (string, error)) Client {
	if source == nil {
		return Client{err: errors.New("token source is nil")}
	}
	return Client{authorization: func(ctx context.Context) (string, error) {
		token, err := source(ctx)
		if err != nil {
			return "", fmt.Errorf("token source: %w", err)
		}
		if !challenge.IsToken68(token) {
			return "", errors.New("token source gave no token by RFC 6750 §2.1")
		}
		return "Bearer " + token, nil
	}}
}

// checkEndpoint refuses an address to which tokens must not be sent.
func checkEndpoint(endpoint string, plainHTTP bool) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return errors.New("endpoint is not a URL") // its text may hold a password
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return errors.New("endpoint is not an absolute https URL")
	case u.User != nil:
		return errors.New("endpoint contains a user: give it with Secret")
	case u.Fragment != "":
		return errors.New("endpoint has a fragment, which no server sees")
	case u.Scheme == "http" && !plainHTTP && !loopback.Host(u.Hostname()):
		return fmt.Errorf("endpoint on %s without TLS: use https, or WithPlainHTTP (plain_http)", u.Hostname())
	}
	return nil
}

// newHTTPClient returns a client that follows no redirects, which would send the
// token elsewhere.
func newHTTPClient(rt http.RoundTripper, concurrency int) *http.Client {
	if rt == nil {
		rt = newTransport(concurrency)
	}
	return &http.Client{
		Transport:     quiet.Transport(rt),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// NewTransport returns a transport like the one that a [Verifier] uses without
// [WithTransport] and [WithConcurrency], for programs that wrap it.
func NewTransport() http.RoundTripper { return newTransport(defaultConcurrency) }

func newTransport(concurrency int) http.RoundTripper {
	shared, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // the program has replaced the default
		return http.DefaultTransport
	}
	t := shared.Clone()
	t.MaxIdleConnsPerHost = concurrency
	t.MaxResponseHeaderBytes = maxAnswer
	if t.HTTP2 == nil {
		t.HTTP2 = lostpeer.Pings()
	}
	return t
}
