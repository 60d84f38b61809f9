// Package localcaller tells requests that come from a program on the same
// machine from those that only reach it through one, such as a proxy's. Tokens of
// development keys are good for the former alone.
//
// A verifier of tokens is not shown the request. So it refuses a token of a
// development key unless the context says that the caller was looked at, and the
// scheme, which has the request, asks once more with such a context if the caller
// is local. Whatever wraps a verifier can only lose that second question, and
// then the token stays refused.
package localcaller

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/loopback"
)

type contextKey struct{}

// caller is what a context says of the caller.
type caller int

const (
	unknown caller = iota
	local
	throughProxy
)

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(contextKey{}).(caller)
	return c
}

// Seen reports whether ctx comes from [Retry].
func Seen(ctx context.Context) bool { return callerOf(ctx) == local }

// ThroughProxy returns ctx for a request that a proxy asks about: the proxy is the
// peer, and the caller is somebody else, whatever the request's fields say. This is
// recorded in the context rather than the request, which schemes may wrap.
func ThroughProxy(ctx context.Context) context.Context {
	return context.WithValue(ctx, contextKey{}, throughProxy)
}

// Retry handles the error of a token verifier for a scheme. If the error refuses a
// development key and r comes from this machine, the verifier must be asked again
// with the returned context. Otherwise again is false, and the error says why the
// caller does not count as local.
func Retry(ctx context.Context, r core.Request, refused error) (_ context.Context, again bool, _ error) {
	var down *core.UnavailableError
	if !errors.As(refused, &down) || down.Reason != core.ReasonDevelopmentKey || Seen(ctx) {
		return ctx, false, refused
	}
	if err := check(ctx, r); err != nil {
		return ctx, false, &core.UnavailableError{
			RetryAfter: down.RetryAfter, Reason: core.ReasonDevelopmentKey, Err: fmt.Errorf("%w: %w", err, down.Err),
		}
	}
	return context.WithValue(ctx, contextKey{}, local), true, nil
}

// proxyFields are request fields that proxies add. A program that calls directly
// has none of them.
var proxyFields = [...]string{
	"Forwarded", "Via",
	"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server",
	"X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Prefix", "X-Forwarded-Scheme", "X-Forwarded-Ssl",
	"X-Forwarded-By", "X-Forwarded", "Forwarded-For",
	"X-Original-Forwarded-For", "X-Original-Host", "X-Original-Proto", "X-Original-Uri", "X-Original-Url", "X-Original-Method",
	"X-Real-Ip", "X-Client-Ip", "Client-Ip", "X-Cluster-Client-Ip", "X-Remote-Addr", "X-Remote-Ip",
	"True-Client-Ip", "Cf-Connecting-Ip", "Cf-Connecting-Ipv6", "Fastly-Client-Ip", "Fly-Client-Ip",
	"X-Azure-Clientip", "X-Appengine-User-Ip", "X-Envoy-External-Address", "X-Amzn-Trace-Id", "X-Proxyuser-Ip",
}

// check returns why r does not count as coming from this machine, or nil if it
// does.
//
// A peer on loopback is not enough: behind a proxy on the same machine every
// peer is. So a request that shows signs of a proxy is not local, and neither is
// one for a public name, which is what most proxies pass on. The fields only ever
// narrow, so a client gains nothing by them.
func check(ctx context.Context, r core.Request) error {
	if callerOf(ctx) == throughProxy {
		return errors.New("a proxy asks on behalf of another caller")
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr())
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return fmt.Errorf("the peer %.64q is not on loopback", r.RemoteAddr())
	}
	for _, name := range proxyFields {
		if _, n := r.Header(name); n > 0 {
			return fmt.Errorf("the request has the field %s, so it came through a proxy", name)
		}
	}
	if host := r.Host(); !loopback.Authority(host) {
		return fmt.Errorf("the request is for the host %.64q, not for localhost or a loopback address", host)
	}
	return nil
}
