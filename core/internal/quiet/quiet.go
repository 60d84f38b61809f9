// Package quiet keeps what addresses may hold in confidence out of errors, which
// end up in logs: the query, the user and the fragment.
package quiet

import (
	"errors"
	"net/http"
	"net/url"
)

// URL is u as it may be shown: scheme, host and path.
func URL(u *url.URL) string {
	shown := url.URL{Scheme: u.Scheme, Opaque: u.Opaque, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	if u.Opaque != "" {
		shown.Opaque = "…"
	}
	return shown.String()
}

// Text is the address in text as [URL] shows it, or "…" for one that cannot be
// taken apart.
func Text(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "…"
	}
	return URL(u)
}

// Origin is scheme and host of u, for an address that somebody else chose.
func Origin(u *url.URL) string { return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String() }

// Error is err of net/http or net/url without the address that it repeats.
func Error(err error) error {
	var about *url.Error
	for errors.As(err, &about) {
		err = about.Err
	}
	return err
}

// Transport is rt, with redirects to what is no URL refused. net/http would put
// the text into its error.
func Transport(rt http.RoundTripper) http.RoundTripper { return transport{rt} }

type transport struct{ http.RoundTripper }

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
