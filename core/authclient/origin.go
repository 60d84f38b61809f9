package authclient

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core/internal/ascii"
	"github.com/sallyport-go/sallyport/core/internal/loopback"
)

// parseOrigin parses an origin and returns it in the form of originOf.
func parseOrigin(text string, plainHTTP bool) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", errors.New("it is not a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return "", errors.New("it must begin with https:// or http://")
	case u.Hostname() == "":
		return "", errors.New("it has no host")
	case u.User != nil || u.Path != "" && u.Path != "/" || strings.ContainsAny(text, "?#"):
		return "", errors.New("it must be scheme, host and port, and nothing else")
	case u.Scheme == "http" && !plainHTTP && !loopback.Host(u.Hostname()):
		return "", errors.New("plain http exposes the credentials on the network: use https, or WithPlainHTTP")
	}
	return originOf(u), nil
}

// originOf returns scheme, host and port of u (RFC 6454 §4), in lower case and with
// the default port made explicit.
func originOf(u *url.URL) string {
	scheme, port := ascii.Lower(u.Scheme), u.Port()
	if port == "" {
		port = "80"
		if scheme == "https" {
			port = "443"
		}
	}
	return scheme + "://" + net.JoinHostPort(ascii.Lower(u.Hostname()), port)
}

// maxRedirects is more than any client follows by default.
const maxRedirects = 64

// isOurs reports whether credentials may be sent with r: it goes to one of the
// origins, directly or through redirects of these origins only. A foreign origin in
// the chain cannot send a client back with credentials to a target of its choice
// (CVE-2024-45336).
func (t *Transport) isOurs(r *http.Request) bool {
	for range maxRedirects {
		if r == nil || r.URL == nil || !t.origins[originOf(r.URL)] {
			return false
		}
		if r.Response == nil {
			return true
		}
		r = r.Response.Request
	}
	return false
}

// bare returns r without the credentials that net/http has copied from the first
// request of a redirect chain: it keeps Authorization for another port of the same
// host, and other credential fields for every host.
func (t *Transport) bare(r *http.Request) *http.Request {
	if r.Response == nil || !t.hasOwn(r) {
		return r
	}
	stripped := withHeader(r)
	for _, name := range t.fields {
		stripped.Header.Del(name)
	}
	return stripped
}

// hasOwn reports whether the caller has set credentials.
func (t *Transport) hasOwn(r *http.Request) bool {
	return slices.ContainsFunc(t.fields, func(name string) bool { return len(r.Header[name]) > 0 })
}

// withHeader returns r with its own copy of the header, which may be modified.
func withHeader(r *http.Request) *http.Request {
	c := r.WithContext(r.Context())
	if c.Header = r.Header.Clone(); c.Header == nil {
		c.Header = http.Header{}
	}
	return c
}
