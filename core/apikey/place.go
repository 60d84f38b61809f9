package apikey

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/ascii"
)

// DefaultHeader is the header field that a key is read from by default.
const DefaultHeader = "X-API-Key"

// defaultQuery is the usual name of a query parameter with a key. A key there
// counts as a second one unless [WithQueryParameter] allows it.
const defaultQuery = "api_key"

// kind is a kind of place.
type kind uint8

const (
	header kind = iota + 1
	authorization
	query
)

// place is a place in a request where a key may be.
type place struct {
	kind kind
	// name is the name of a header field, a scheme or a parameter. For
	// authorization "" stands for any scheme.
	name string
}

// String describes the place, for causes.
func (p place) String() string {
	switch p.kind {
	case header:
		return "header " + p.name
	case authorization:
		return "Authorization"
	default:
		return "the query"
	}
}

// value returns the first value in the place and the number of values. Two
// Authorization lines count whatever they contain.
func (p place) value(r core.Request) (value string, count int) {
	switch p.kind {
	case header:
		return r.Header(p.name)
	case query:
		return r.Query(p.name)
	}
	field, n := r.Header("Authorization")
	if n != 1 {
		return "", n
	}
	scheme, rest, ok := challenge.Split(field)
	if p.name != "" && !strings.EqualFold(scheme, p.name) {
		return "", 0
	}
	if !ok {
		return "", 1 // malformed
	}
	return rest, 1
}

// vary returns the header fields of the place.
func (p place) vary() []string {
	switch p.kind {
	case header:
		return []string{p.name}
	case authorization:
		return []string{"Authorization"}
	default:
		return nil
	}
}

// params returns the challenge parameters that name the place. A scheme needs none.
func (p place) params() []challenge.Param {
	switch p.kind {
	case header:
		return []challenge.Param{{Name: "header", Value: p.name}}
	case query:
		return []challenge.Param{{Name: "query", Value: p.name}}
	default:
		return nil
	}
}

// otherPlaces returns the places where a second key would make the one in p
// ambiguous.
func otherPlaces(p place) []place {
	all := []place{{header, DefaultHeader}, {authorization, ""}, {query, defaultQuery}}
	return slices.DeleteFunc(all, func(o place) bool {
		return o.kind == p.kind && (o.kind == authorization || strings.EqualFold(o.name, p.name))
	})
}

// WithHeader reads keys from the named header field. The name consists of letters,
// digits and hyphens.
func WithHeader(name string) Option {
	return func(a *Authenticator) error {
		switch {
		case !ascii.Only(name, "-"):
			return fmt.Errorf("header %q: use letters, digits and hyphens", name)
		case strings.EqualFold(name, "Authorization"):
			return errors.New("header Authorization begins with a scheme: use WithAuthorizationScheme (authorization_scheme)")
		case strings.EqualFold(name, "Cookie"):
			return errors.New("browsers send the header Cookie by themselves, for any page: use another header")
		}
		return a.setPlace(place{header, name})
	}
}

// WithAuthorizationScheme reads keys from the Authorization field, after the given
// scheme, such as [DefaultScheme]. It becomes the name of this scheme in
// challenges, and so must not have a meaning of its own, as Bearer does.
func WithAuthorizationScheme(scheme string) Option {
	return func(a *Authenticator) error {
		for _, taken := range []string{"Basic", "Bearer", "Digest", "DPoP", "Negotiate"} {
			if strings.EqualFold(scheme, taken) {
				return fmt.Errorf("scheme %s is for other credentials: use a name of your own, such as %s", taken, DefaultScheme)
			}
		}
		if !ascii.Only(scheme, "-") {
			return fmt.Errorf("scheme %q: use letters, digits and hyphens", scheme)
		}
		return a.setPlace(place{authorization, scheme})
	}
}

// WithQueryParameter reads keys from the named query parameter. The name consists
// of letters, digits, hyphens and underscores. Events hold no query, but the logs
// of proxies, the history of browsers and Referer fields do: use it only for
// clients that cannot send a header.
func WithQueryParameter(name string) Option {
	return func(a *Authenticator) error {
		if !ascii.Only(name, "-_") {
			return fmt.Errorf("query parameter %q: use letters, digits, hyphens and underscores", name)
		}
		return a.setPlace(place{query, name})
	}
}

func (a *Authenticator) setPlace(p place) error {
	if a.place != (place{}) {
		return fmt.Errorf("two places for keys, %s and %s: choose one", a.place, p)
	}
	a.place = p
	return nil
}
