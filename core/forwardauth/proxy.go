package forwardauth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// Proxy is how a kind of proxy describes the request it asks about. It is created
// by [Nginx], [Traefik], [Caddy], [HAProxy] and [Envoy]; the zero Proxy is invalid.
type Proxy struct {
	name string
	// method, target and host are the header fields that describe the original
	// request; "" if the proxy's own request has the same value.
	method, target, host string
	// prefix is before the original target.
	prefix string
	// carries reports that refusals are sent in a header field.
	carries bool
}

// Nginx is nginx with auth_request. Its configuration sets X-Original-Method to
// $request_method, X-Original-URI to $request_uri, which is the target as the
// client sent it and as proxy_pass without a URI passes it on, and Host to
// $http_host.
func Nginx() Proxy {
	return Proxy{name: "nginx", method: "X-Original-Method", target: "X-Original-URI", carries: true}
}

// Traefik is Traefik with the ForwardAuth middleware, and any other proxy that sets
// X-Forwarded-Method, X-Forwarded-Uri and X-Forwarded-Host and passes every
// response other than 2xx to the client. Leave its trustForwardHeader off, or
// clients choose what the gate decides on.
func Traefik() Proxy {
	return Proxy{name: "traefik", method: "X-Forwarded-Method", target: "X-Forwarded-Uri", host: "X-Forwarded-Host"}
}

// Caddy is Caddy with its forward_auth directive. It sets the same fields as
// Traefik, and those that a client sends are dropped unless its address is one
// of Caddy's trusted_proxies.
func Caddy() Proxy {
	p := Traefik()
	p.name = "caddy"
	return p
}

// HAProxy is HAProxy with a Lua script that sets the same fields as Traefik,
// whatever a client sends, and passes every response other than 200 to the client,
// such as the one in docs/proxies.md.
func HAProxy() Proxy {
	p := Traefik()
	p.name = "haproxy"
	return p
}

// Envoy is Envoy with the HTTP service of ext_authz, which asks with the
// original method and host, and with the original target behind prefix, its
// path_prefix: a path such as "/check", or "" for none.
func Envoy(prefix string) Proxy { return Proxy{name: "envoy", prefix: prefix} }

func (p Proxy) check() error {
	if p.name == "" {
		return errors.New("no proxy: use Nginx, Traefik, Caddy, HAProxy or Envoy")
	}
	if p.prefix == "" {
		return nil
	}
	path, err := adapter.CanonicalPath(core.Route{Path: p.prefix})
	if err != nil || path != p.prefix || path == "/" || strings.ContainsAny(path, "%?#; ") {
		return fmt.Errorf("%s prefix %q: must be a plain path without a trailing slash, or \"\"", p.name, p.prefix)
	}
	return nil
}

// original returns the request that r asks about.
func (p Proxy) original(r core.Request) *original {
	o := &original{Request: r}
	if o.method, o.err = p.field(r, p.method, r.Method()); o.err != nil {
		return o
	}
	if o.target, o.err = p.field(r, p.target, r.Target()); o.err != nil {
		return o
	}
	if o.host, o.err = p.field(r, p.host, r.Host()); o.err != nil {
		return o
	}
	rest, ok := strings.CutPrefix(o.target, p.prefix)
	if !ok {
		path, _, _ := strings.Cut(o.target, "?")
		o.err = &core.InternalError{Err: fmt.Errorf("forwardauth: target %.256q is not below %q: the prefix must be the same as Envoy's path_prefix", path, p.prefix)}
		return o
	}
	o.target = rest
	o.route, o.query, o.err = splitTarget(rest)
	return o
}

// field returns the only value of a field that p sets, or own if it sets none.
func (p Proxy) field(r core.Request, name, own string) (string, error) {
	if name == "" {
		return own, nil
	}
	value, n := r.Header(name)
	if n != 1 || value == "" {
		// With a second line, which may be the client's, it is unknown which one
		// the proxy meant.
		return "", &core.InternalError{Err: fmt.Errorf("forwardauth: %d lines of %s, want one that is not empty: configure %[3]s to set it or, if another proxy asks, name that one here (serve.proxy)", n, name, p.name)}
	}
	return value, nil
}
