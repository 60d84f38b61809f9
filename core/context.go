package core

import "context"

type passageKey struct{}

// passage is the context of a request that has passed gate one of guard.
type passage struct {
	context.Context
	guard     *Guard
	scheme    string     // the authenticator's that proved the principal
	byBrowser bool       // whether a browser sends that scheme's credentials by itself
	method    string     // of the request then
	fields    []Field    // what gate one has put into the response
	ended     error      // why the credentials of an anonymous one are over; nil for none
	principal *Principal // nil for an anonymous request at an optional gate
}

func (p *passage) Value(key any) any {
	if _, ok := key.(passageKey); ok {
		return p
	}
	return p.Context.Value(key)
}

func passageFrom(ctx context.Context) *passage {
	p, _ := ctx.Value(passageKey{}).(*passage)
	return p
}

// PrincipalFrom returns the principal that passed gate one of the request
// whose context ctx is or descends from; ok is false for none, which means
// anonymous or not guarded.
func PrincipalFrom(ctx context.Context) (p *Principal, ok bool) {
	if pass := passageFrom(ctx); pass != nil && pass.principal != nil {
		return pass.principal, true
	}
	return nil, false
}

// ContextWithPrincipal returns a context that carries p, for tests of code
// that uses [PrincipalFrom] and for jobs that act for a principal. No gate
// takes it for proof: a guard authenticates the request itself.
func ContextWithPrincipal(ctx context.Context, p *Principal) context.Context {
	return &passage{Context: ctx, principal: p}
}
