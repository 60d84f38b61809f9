// Package secureurl parses URLs of documents that a program fetches and trusts.
package secureurl

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/sallyport-go/sallyport/core/internal/ascii"
	"github.com/sallyport-go/sallyport/core/internal/loopback"
	"github.com/sallyport-go/sallyport/core/internal/quiet"
)

// Hints holds advice to include in errors.
type Hints struct {
	Absolute    string // what to do with a value that is not a URL, such as a file name; "" for none
	Credentials string // where credentials belong
	Plain       string // what an attacker on the network could do to the document
}

// Parse parses an absolute https URL without credentials and fragment. An http URL must be
// on this machine, unless plainHTTP is set. Errors omit the URL's query, which may contain
// a key.
func Parse(text string, plainHTTP bool, h Hints) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("the address is not a URL")
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.Opaque != "":
		if h.Absolute != "" {
			h.Absolute = "; " + h.Absolute
		}
		return nil, fmt.Errorf("%.256q is not an absolute https URL%s", quiet.URL(u), h.Absolute)
	case u.User != nil:
		return nil, fmt.Errorf("%.256q holds credentials: %s", quiet.URL(u), h.Credentials)
	case u.Fragment != "":
		return nil, fmt.Errorf("%.256q has a fragment", quiet.URL(u))
	case u.Scheme == "http" && !plainHTTP && !loopback.Host(u.Hostname()):
		return nil, fmt.Errorf("%.256q is not https: anyone on the network could %s; use https, or WithPlainHTTP (plain_http) in a closed network", quiet.URL(u), h.Plain)
	}
	return u, nil
}

const maxRedirects = 3

// CheckRedirect is for [http.Client]. It follows at most three redirects, and only to the
// same scheme, host and port.
func CheckRedirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if first := via[0].URL; r.URL.Scheme != first.Scheme || !ascii.EqualFold(r.URL.Host, first.Host) {
		return fmt.Errorf("redirect to another host, %.256q: configure the address that answers", quiet.Origin(r.URL))
	}
	return nil
}
