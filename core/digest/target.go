package digest

import (
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/ascii"
)

// sameTarget reports whether uri names the same target as the request line of r,
// including the query (RFC 7616 §3.4.6). Either may be in absolute form, since
// proxies convert between the forms (RFC 9112 §3.2); path and query must then be
// equal byte for byte, and hosts equal without regard to letter case. Nothing is
// decoded, since another encoding may mean something else to the router.
func sameTarget(uri string, r core.Request) bool {
	target := r.Target()
	if uri == target {
		return true
	}
	u, absoluteURI := parseAbsolute(uri)
	t, absoluteTarget := parseAbsolute(target)
	switch {
	case absoluteURI && absoluteTarget:
		return u.rest == t.rest && u.scheme == t.scheme && u.isAt(t.authority)
	case absoluteURI:
		return u.rest == target && u.isAt(r.Host())
	case absoluteTarget:
		return uri == t.rest
	}
	return false
}

// absolute is a target in absolute form.
type absolute struct {
	scheme, authority string
	rest              string // path and query; the path is never empty
}

func parseAbsolute(s string) (a absolute, ok bool) {
	scheme, rest, found := strings.Cut(s, "://")
	a.scheme = ascii.Lower(scheme)
	if !found || a.scheme != "http" && a.scheme != "https" {
		return absolute{}, false
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	a.authority, a.rest = rest[:end], rest[end:]
	if !strings.HasPrefix(a.rest, "/") {
		a.rest = "/" + a.rest
	}
	return a, a.authority != ""
}

// isAt reports whether a is at host, with or without the default port of its
// scheme.
func (a absolute) isAt(host string) bool {
	port := ":80"
	if a.scheme == "https" {
		port = ":443"
	}
	return ascii.EqualFold(strings.TrimSuffix(a.authority, port), strings.TrimSuffix(host, port))
}
