// Package quiet keeps the confidential parts of addresses out of errors, which end
// up in logs: the query, the user and the fragment.
package quiet

import (
	"errors"
	"net/http"
	"net/url"
)

// URL returns the parts of u that may be shown: scheme, host and path.
func URL(u *url.URL) string {
	shown := url.URL{Scheme: u.Scheme, Opaque: u.Opaque, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	if u.Opaque != "" {
		shown.Opaque = "…"
	}
	return shown.String()
}

// Text returns the address in text in the form of [URL], or "…" if it cannot be
// parsed.
func Text(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "…"
	}
	return URL(u)
}

// Origin returns scheme and host of u, for an address that somebody else chose.
func Origin(u *url.URL) string { return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String() }

// Error returns an error of net/http or net/url without the address that it quotes.
func Error(err error) error {
	var about *url.Error
	for errors.As(err, &about) {
		err = about.Err
	}
	return err
}

// Transport returns rt with redirects to invalid URLs refused, since net/http would
// quote them in its error.
func Transport(rt http.RoundTripper) http.RoundTripper { return transport{rt} }

type transport struct{ http.RoundTripper }

// CloseIdleConnections is for [http.Client.CloseIdleConnections].
func (t transport) CloseIdleConnections() {
	if c, ok := t.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

var errLocation = errors.New("redirect to something that is not a URL")

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(r)
	if err != nil || resp.StatusCode/100 != 3 {
		return resp, err
	}
	if _, err := url.Parse(resp.Header.Get("Location")); err != nil {
		_ = resp.Body.Close() // nothing in it is read
		return nil, errLocation
	}
	return resp, nil
}
