package core

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"sync/atomic"
	"time"
)

// PrincipalInfo is what [NewPrincipal] makes a principal from.
type PrincipalInfo struct {
	// ID names the principal, unique among all who may sign in. Required.
	ID string
	// Scheme is the authentication scheme that proved it; a guard fills in an
	// empty one.
	Scheme string
	// Roles and Scopes are those the credentials brought.
	Roles, Scopes []string
	// Tenant is the tenant (Casbin: domain) the credentials are for.
	Tenant string
	// Tenants are those the principal belongs to, where the credentials name more
	// than one. Requests choose among them and Tenant ([WithTenant]).
	Tenants []string
	// Claims are further facts from the credentials, as decoded from JSON.
	Claims map[string]any
	// AuthTime is when the principal last proved itself interactively; zero
	// when unknown.
	AuthTime time.Time
	// Expires is when the credentials stop being good; zero for never.
	Expires time.Time
}

// Principal is who was let through gate one. It is immutable and safe for
// concurrent use, during the request and after it.
type Principal struct {
	info  PrincipalInfo
	extra []string // roles a RoleSource added; shared, never written

	// known is the principal with roles a policy added last, since the next
	// request of a principal that is kept finds the same ones.
	known atomic.Pointer[Principal]
}

// NewPrincipal copies info into a principal. The ID must not be empty: an
// empty ID would match empty fields in policies. The error is an
// [InternalError], 500 where an authenticator returns it: credentials that name
// nobody are for it to refuse with a [CredentialError].
func NewPrincipal(info PrincipalInfo) (*Principal, error) {
	info.Roles = slices.Clone(info.Roles)
	info.Scopes = slices.Clone(info.Scopes)
	info.Tenants = slices.Clone(info.Tenants)
	if info.Claims != nil {
		info.Claims, _ = cloneJSON(info.Claims).(map[string]any)
	}
	return NewPrincipalOwning(info)
}

// NewPrincipalOwning is [NewPrincipal] without the copies: the slices and maps of
// info, those in Claims too, belong to the principal, and nobody may change them any
// more. It is for authenticators that have just decoded them.
func NewPrincipalOwning(info PrincipalInfo) (*Principal, error) {
	if info.ID == "" {
		return nil, &InternalError{errors.New("principal: empty ID: credentials that name nobody are a CredentialError")}
	}
	return &Principal{info: info}, nil
}

// ID names the principal; it is never empty.
func (p *Principal) ID() string { return p.info.ID }

// Scheme is the authentication scheme that proved the principal.
func (p *Principal) Scheme() string { return p.info.Scheme }

// Tenant is the tenant the credentials are for, or "". Behind a gate of a guard
// that has [WithTenant] it is the tenant of the request.
func (p *Principal) Tenant() string { return p.info.Tenant }

// Tenants are those that the credentials name beside [Principal.Tenant].
func (p *Principal) Tenants() iter.Seq[string] { return slices.Values(p.info.Tenants) }

// AuthTime is when the principal last proved itself; zero when unknown.
func (p *Principal) AuthTime() time.Time { return p.info.AuthTime }

// Expires is when the credentials stop being good; zero for never.
func (p *Principal) Expires() time.Time { return p.info.Expires }

// CredentialRoles are the roles the credentials brought, without those a
// policy added.
func (p *Principal) CredentialRoles() iter.Seq[string] { return slices.Values(p.info.Roles) }

// Roles are all roles of the principal: those of its credentials and those the
// policy gives it. No role comes twice.
func (p *Principal) Roles() iter.Seq[string] {
	return func(yield func(string) bool) { p.eachRole(true, yield) }
}

// eachRole yields all roles, or those that the credentials did not bring.
func (p *Principal) eachRole(all bool, yield func(string) bool) {
	known := seen(len(p.info.Roles) + len(p.extra))
	for i, role := range p.info.Roles {
		if !known.before(role, p.info.Roles[:i], nil) && all && !yield(role) {
			return
		}
	}
	for i, role := range p.extra {
		if !known.before(role, p.info.Roles, p.extra[:i]) && !yield(role) {
			return
		}
	}
}

// roleSet is what has been seen of many roles; nil for few, which are compared
// one by one without memory.
type roleSet map[string]struct{}

func seen(roles int) roleSet {
	const few = 32
	if roles <= few {
		return nil
	}
	return make(roleSet, roles)
}

// before reports whether role comes in a or b, which have been asked about.
func (s roleSet) before(role string, a, b []string) bool {
	if s == nil {
		return slices.Contains(a, role) || slices.Contains(b, role)
	}
	if _, known := s[role]; known {
		return true
	}
	s[role] = struct{}{}
	return false
}

// HasRole reports whether role is one of the principal's roles, compared
// exactly.
func (p *Principal) HasRole(role string) bool {
	return slices.Contains(p.info.Roles, role) || slices.Contains(p.extra, role)
}

// Scopes are the scopes the credentials were issued for.
func (p *Principal) Scopes() iter.Seq[string] { return slices.Values(p.info.Scopes) }

// HasScope reports whether scope was granted, compared exactly and in letter
// case (RFC 6750 §3: "read" is not "readonly").
func (p *Principal) HasScope(scope string) bool { return slices.Contains(p.info.Scopes, scope) }

// Claim is the claim called name, exactly spelt, and whether there is one.
// Maps and slices are copies.
func (p *Principal) Claim(name string) (any, bool) {
	v, ok := p.info.Claims[name]
	return cloneJSON(v), ok
}

// Claims lists the names of all claims in no particular order.
func (p *Principal) Claims() iter.Seq[string] { return maps.Keys(p.info.Claims) }

// withScheme is p with its scheme filled in.
func (p *Principal) withScheme(scheme string) *Principal {
	q := &Principal{info: p.info, extra: p.extra}
	q.info.Scheme = scheme
	return q
}

// withRoles is p with the roles a policy adds, of which there is at least one.
// extra is kept, not copied.
func (p *Principal) withRoles(extra []string) *Principal {
	if q := p.known.Load(); q != nil && len(q.extra) == len(extra) && &q.extra[0] == &extra[0] {
		return q
	}
	q := &Principal{info: p.info, extra: extra}
	p.known.Store(q)
	return q
}

// cloneJSON copies the maps and slices a JSON decoder makes. Values of other
// types are returned as they are.
func cloneJSON(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = cloneJSON(e)
		}
		return m
	case []any:
		s := make([]any, len(v))
		for i, e := range v {
			s[i] = cloneJSON(e)
		}
		return s
	case []string:
		return slices.Clone(v)
	default:
		return v
	}
}

type authContextKey struct{}

// authContext is the context of a request that has passed gate one of guard.
type authContext struct {
	context.Context
	guard     *Guard
	scheme    *scheme    // whose credentials were found, nil for none
	method    string     // of the request then
	fields    []Field    // what gate one has put into the response
	ended     error      // why the credentials of an anonymous one are over; nil for none
	principal *Principal // nil for an anonymous request at an optional gate
	whole     *Principal // as it was proved, for guards with tenants
	opened    *opened    // what Recheck judges; nil for nothing
}

func (before *authContext) Value(key any) any {
	if _, ok := key.(authContextKey); ok {
		return before
	}
	return before.Context.Value(key)
}

// Room is memory for what a gate leaves in the context of a request that passes. It
// is for adapters, which have more to remember of such a request: a method Room of
// the [Request] that [Gate.Check] is given lends it when the request has passed, and
// says what the new context descends from, ctx or a context that does. It belongs
// to that request as long as anybody has its context, and is for no other; one that
// has been used is not used again.
type Room struct{ passed authContext }

// roomFor is what r has room for, or new, with the context that it descends from.
func roomFor(ctx context.Context, r Request) *authContext {
	if lends, ok := r.(interface {
		Room(ctx context.Context) (*Room, context.Context)
	}); ok {
		if room, parent := lends.Room(ctx); room != nil && room.passed.Context == nil {
			room.passed.Context = parent
			return &room.passed
		}
	}
	return &authContext{Context: ctx}
}

func authContextFrom(ctx context.Context) *authContext {
	p, _ := ctx.Value(authContextKey{}).(*authContext)
	return p
}

// PrincipalFrom returns the principal that passed gate one of the request
// whose context ctx is or descends from; ok is false for none, which means
// anonymous or not guarded.
func PrincipalFrom(ctx context.Context) (p *Principal, ok bool) {
	if before := authContextFrom(ctx); before != nil && before.principal != nil {
		return before.principal, true
	}
	return nil, false
}

// PrincipalFrom returns the principal that passed gate one of g, or of a variant
// of it that proved the principal in a way g accepts. It is for requests that pass
// two guards, such as one for the calling app and one for its user, where the
// function [PrincipalFrom] returns who passed the last gate. ok is false for none.
func (g *Guard) PrincipalFrom(ctx context.Context) (p *Principal, ok bool) {
	if g == nil {
		return nil, false
	}
	if before := g.authContextFrom(ctx); before != nil && before.principal != nil {
		return before.principal, true
	}
	return nil, false
}

// ContextWithPrincipal returns a context that carries p, for tests of code
// that uses [PrincipalFrom] and for jobs that act for a principal. No gate
// takes it for proof: a guard authenticates the request itself.
func ContextWithPrincipal(ctx context.Context, p *Principal) context.Context {
	return &authContext{Context: ctx, principal: p}
}
