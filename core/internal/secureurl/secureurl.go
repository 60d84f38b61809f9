// Package secureurl parses the addresses of documents that a program fetches and
// trusts.
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

// Hints holds advice for errors.
type Hints struct {
	Absolute    string // what to do with what is not an address, such as a file; "" for nothing
	Credentials string // where credentials belong
	Plain       string // what somebody on the way could do to the document
}

// Parse reads an absolute address by https without credentials and fragment. One by
// http is for this machine, or for everywhere with plainHTTP. Errors show the address
// without its query, which may hold a key.
func Parse(text string, plainHTTP bool, h Hints) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("the address is not a URL")
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Opaque != "":
		if h.Absolute != "" {
			h.Absolute = "; " + h.Absolute
		}
		return nil, fmt.Errorf("%.256q is not an absolute https URL%s", quiet.URL(u), h.Absolute)
	case u.User != nil:
		return nil, fmt.Errorf("%.256q holds credentials: %s", quiet.URL(u), h.Credentials)
	case u.Fragment != "":
		return nil, fmt.Errorf("%.256q has a fragment", quiet.URL(u))
	case u.Scheme == "http" && !plainHTTP && !loopback.Host(u.Hostname()):
		return nil, fmt.Errorf("%.256q is not https: whoever is on the way could %s; use https, or WithPlainHTTP in a closed network", quiet.URL(u), h.Plain)
	}
	return u, nil
}

const maxRedirects = 3

// CheckRedirect is for [http.Client]: it follows up to three redirects, to the same
// scheme, host and port only.
func CheckRedirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if first := via[0].URL; r.URL.Scheme != first.Scheme || !ascii.EqualFold(r.URL.Host, first.Host) {
		return fmt.Errorf("redirect to another host, %.256q: configure the address that answers", quiet.Origin(r.URL))
	}
	return nil
}
