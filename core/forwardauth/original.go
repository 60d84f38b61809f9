package forwardauth

import (
	"crypto/tls"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// original is the view of the request that a proxy asks about. Credentials and the
// client's address are in the fields of the proxy's own request.
type original struct {
	core.Request
	method, target, host, query string

	route core.Route
	err   error // why there is no route
}

func (o *original) Method() string             { return o.method }
func (o *original) Target() string             { return o.target }
func (o *original) Host() string               { return o.host }
func (o *original) Route() (core.Route, error) { return o.route, o.err }

// Param is "": no router has matched.
func (o *original) Param(string) string { return "" }

func (o *original) Query(name string) (string, int) { return adapter.Query(o.query, name) }

// TLS returns a state that says whether the client's connection to the proxy uses
// TLS. The state of the proxy's own connection has the proxy's certificate, which
// is not the client's.
func (o *original) TLS() *tls.ConnectionState {
	proto, n := o.Header("X-Forwarded-Proto")
	if n == 1 && (proto == "https" || proto == "wss") {
		return &tls.ConnectionState{HandshakeComplete: true}
	}
	return nil
}

// splitTarget splits a request target in origin-form (RFC 9112 §3.2.1). The
// asterisk and the other forms have no path, and CanonicalPath of core/adapter
// refuses them.
func splitTarget(target string) (rt core.Route, query string, err error) {
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c == 0x7f {
			return rt, "", fmt.Errorf("%w: byte %#02x in the original target", core.ErrAmbiguousPath, c)
		}
	}
	path, query, _ := strings.Cut(target, "?")
	if len(query) > longQuery {
		path = strings.Clone(path)
	}
	return core.Route{Path: path, Escaped: true}, query, nil
}

// longQuery is the length in bytes above which a query must not stay in memory because an
// observer keeps the path.
const longQuery = 4 << 10

// refuseSemicolons refuses a path with a semicolon, plain or encoded.
func refuseSemicolons(path string) error {
	if strings.Contains(path, ";") || strings.Contains(strings.ToLower(path), "%3b") {
		return fmt.Errorf("%w: it contains a semicolon, where some applications cut the path off", core.ErrAmbiguousPath)
	}
	return nil
}
