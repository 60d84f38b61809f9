package core

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core/internal/ascii"
)

const fetchMode = "Sec-Fetch-Mode"

// CrossSite returns an error if r is an unsafe request, or the start of a
// WebSocket, that a page of another site made a browser send. Guards check requests
// authenticated by a scheme with [SentByBrowser]; call it yourself for a request
// that has no principal yet, such as a browser's sign-in.
//
// If the browser sends Sec-Fetch-Site, it decides: same-origin and none pass,
// cross-site and same-site do not (Fetch Metadata, "Sec-Fetch-Site"). Without it
// Origin must name the request's host, and https on a TLS connection; the origin
// "null" never passes. A request with neither field does not come from a current
// browser, and passes. A request whose Origin is exactly one of trusted, such as
// "https://app.example.com", passes.
//
// GET, HEAD and OPTIONS pass, since their handlers must not change anything (RFC
// 9110 §9.2.1), unless they ask for an upgrade or open a WebSocket.
func CrossSite(r Request, trusted ...string) error {
	if isSafe(r.Method()) && !opensWebSocket(r) {
		return nil
	}
	site, sites := r.Header("Sec-Fetch-Site")
	origin, origins := r.Header("Origin")
	switch {
	case sites > 1 || origins > 1:
		return errors.New("several Sec-Fetch-Site or Origin lines")
	case origins == 1 && slices.Contains(trusted, origin):
		return nil
	case sites == 1 && (site == "same-origin" || site == "none"):
		return nil
	case sites == 1:
		return fmt.Errorf("unsafe request with Sec-Fetch-Site %.64q from origin %.256q", site, origin)
	case origins == 0:
		return nil
	}
	if o, err := url.Parse(origin); err == nil && ascii.EqualFold(o.Host, r.Host()) && o.Host != "" &&
		(o.Scheme == "https" || o.Scheme == "http" && r.TLS() == nil) {
		return nil
	}
	return fmt.Errorf("unsafe request from origin %.256q to host %.256q", origin, r.Host())
}

func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// opensWebSocket reports whether r asks for an upgrade. A proxy that asks package
// forwardauth about a request may drop Upgrade, which applies to one connection
// (RFC 9110 §7.6.1), but not the version in a handshake (RFC 6455 §4.1).
func opensWebSocket(r Request) bool {
	_, upgrades := r.Header("Upgrade")
	_, versions := r.Header("Sec-Websocket-Version")
	return upgrades > 0 || versions > 0
}

// checkOrigin refuses a value that could never equal an Origin field.
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	switch {
	case err != nil:
		return errors.New("not a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("an origin begins with https:// or http://")
	case u.Host == "" || u.User != nil || origin != u.Scheme+"://"+u.Host || origin != strings.ToLower(origin):
		return errors.New("an origin must be scheme, host and port in lower case, with nothing after them")
	case u.Port() == "443" && u.Scheme == "https" || u.Port() == "80" && u.Scheme == "http":
		return errors.New("browsers omit the scheme's default port: remove it")
	}
	return nil
}

// crossSite returns the denial for a request of another site with credentials that
// the browser added by itself, or nil.
func (g *Guard) crossSite(r Request) *Denial {
	if err := CrossSite(r, g.origins...); err != nil {
		return newDenial(Forbidden, CodeCrossSite, ReasonCrossSite, err)
	}
	return nil
}

// WithTrustedOrigins names origins, besides the request's own, whose pages may
// cause unsafe requests with credentials that the browser adds by itself. An origin
// is written "https://app.example.com", with the port unless it is the scheme's
// default; it is compared exactly.
func WithTrustedOrigins(origins ...string) Option {
	return func(g *Guard) error {
		for _, o := range origins {
			if err := checkOrigin(o); err != nil {
				return fmt.Errorf("trusted origin %q: %w", o, err)
			}
		}
		g.origins, g.set.origins = append(g.origins, origins...), true
		return nil
	}
}
