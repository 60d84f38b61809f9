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

// PrincipalInfo holds the facts from which [NewPrincipal] makes a principal.
type PrincipalInfo struct {
	// ID identifies the principal uniquely among all that may sign in. It is
	// required.
	ID string
	// Scheme is the authentication scheme used; a guard fills it in if it is empty.
	Scheme string
	// Roles and Scopes are the roles and scopes in the credentials.
	Roles, Scopes []string
	// Tenant is the tenant (in Casbin, the domain) that the credentials are for.
	Tenant string
	// Tenants lists the tenants that the principal belongs to, if the credentials
	// name more than one. A request chooses among these and Tenant ([WithTenant]).
	Tenants []string
	// Claims are further facts from the credentials, as decoded from JSON.
	Claims map[string]any
	// AuthTime is when the principal last authenticated interactively; zero if
	// unknown.
	AuthTime time.Time
	// Expires is when the credentials expire; zero for never.
	Expires time.Time
}

// Principal is the identity that passed gate one. It is immutable and safe for
// concurrent use, during the request and after it.
type Principal struct {
	info  PrincipalInfo
	extra []string   // roles a RoleSource added; shared, never written
	whole *Principal // as it was proved, if this is the principal within a tenant

	// known caches the principal with the roles that a policy added last, because
	// the next request of a cached principal usually has the same ones.
	known atomic.Pointer[Principal]
}

// NewPrincipal copies info into a principal. The ID must not be empty, because an
// empty ID would match empty fields in policies. The error is an [InternalError],
// which an authenticator that returns it answers with 500: an authenticator should
// refuse credentials that name nobody with a [CredentialError].
func NewPrincipal(info PrincipalInfo) (*Principal, error) {
	info.Roles = slices.Clone(info.Roles)
	info.Scopes = slices.Clone(info.Scopes)
	info.Tenants = slices.Clone(info.Tenants)
	if info.Claims != nil {
		info.Claims, _ = cloneJSON(info.Claims).(map[string]any)
	}
	return NewPrincipalOwning(info)
}

// NewPrincipalOwning is [NewPrincipal] without copying: the principal takes over
// the slices and maps of info, including those in Claims, and they must not be
// modified any more. It is for authenticators that have just decoded them.
func NewPrincipalOwning(info PrincipalInfo) (*Principal, error) {
	if info.ID == "" {
		return nil, &InternalError{errors.New("principal: empty ID: return a CredentialError for credentials that name nobody")}
	}
	return &Principal{info: info}, nil
}

// ID returns the principal's ID, which is never empty.
func (p *Principal) ID() string { return p.info.ID }

// Scheme returns the authentication scheme that the principal used.
func (p *Principal) Scheme() string { return p.info.Scheme }

// Tenant returns the tenant that the credentials are for, or "". Behind a gate of a
// guard with [WithTenant] it returns the tenant of the request.
func (p *Principal) Tenant() string { return p.info.Tenant }

// Tenants yields the tenants that the credentials name besides [Principal.Tenant].
func (p *Principal) Tenants() iter.Seq[string] { return slices.Values(p.info.Tenants) }

// AuthTime returns when the principal last authenticated; zero if unknown.
func (p *Principal) AuthTime() time.Time { return p.info.AuthTime }

// Expires returns when the credentials expire; zero for never.
func (p *Principal) Expires() time.Time { return p.info.Expires }

// CredentialRoles yields the roles in the credentials, without those that a policy
// added.
func (p *Principal) CredentialRoles() iter.Seq[string] { return slices.Values(p.info.Roles) }

// Roles yields all roles of the principal, those in its credentials and those that
// the policy gives it, each once.
func (p *Principal) Roles() iter.Seq[string] {
	return func(yield func(string) bool) { p.eachRole(true, yield) }
}

// eachRole yields all roles, or only those that are not in the credentials.
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

// roleSet holds the roles seen so far if there are many; it is nil for few, which
// are compared one by one without allocating.
type roleSet map[string]struct{}

func seen(roles int) roleSet {
	const few = 32
	if roles <= few {
		return nil
	}
	return make(roleSet, roles)
}

// before reports whether role is in a or b, whose roles have been yielded already.
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

// Scopes yields the scopes that the credentials were issued for.
func (p *Principal) Scopes() iter.Seq[string] { return slices.Values(p.info.Scopes) }

// HasScope reports whether scope was granted. The comparison is exact and
// case-sensitive (RFC 6750 §3: "read" is not "readonly").
func (p *Principal) HasScope(scope string) bool { return slices.Contains(p.info.Scopes, scope) }

// Claim returns the claim with exactly the given name, and whether there is one.
// Maps and slices are copies.
func (p *Principal) Claim(name string) (any, bool) {
	v, ok := p.info.Claims[name]
	return cloneJSON(v), ok
}

// Claims yields the names of all claims in no particular order.
func (p *Principal) Claims() iter.Seq[string] { return maps.Keys(p.info.Claims) }

// withScheme returns p with its scheme filled in.
func (p *Principal) withScheme(scheme string) *Principal {
	q := &Principal{info: p.info, extra: p.extra}
	q.info.Scheme = scheme
	return q
}

// withRoles returns p with the roles that a policy adds, at least one. extra is
// kept, not copied.
func (p *Principal) withRoles(extra []string) *Principal {
	if q := p.known.Load(); q != nil && len(q.extra) == len(extra) && &q.extra[0] == &extra[0] {
		return q
	}
	q := &Principal{info: p.info, extra: extra, whole: p.whole}
	p.known.Store(q)
	return q
}

// cloneJSON copies the maps and slices that a JSON decoder makes. Values of other
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
	principal  *Principal // nil for an anonymous request at an optional gate
	*admission            // nil as long as no gate has filled it in
}

// admission is how a gate let requests in, the same for most of a scheme. It is apart
// because a request pays for each byte it allocates: with 64 fewer, one on Gin or Fiber
// takes 4 % less processor time, some 60 ns. It must not be modified.
type admission struct {
	guard  *Guard  // nil for a principal of ContextWithPrincipal
	scheme *scheme // whose credentials were found, nil for none
	fields []Field // that gate one has added to the response
	ended  error   // why the credentials of an anonymous request have lapsed, or nil
	opened *opened // what Recheck checks again, or nil
}

// keeping returns a with what Recheck checks again.
func (a *admission) keeping(o *opened) *admission {
	if o == a.opened {
		return a
	}
	with := *a
	with.opened = o
	return &with
}

func (before *authContext) Value(key any) any {
	if _, ok := key.(authContextKey); ok && before.admission != nil {
		return before
	}
	return before.Context.Value(key)
}

// Room is memory for what a gate stores in the context of a request that passes. It
// is for adapters, which allocate it together with their own state for the request:
// if the [Request] passed to [Gate.Check] has a method Room, the gate calls it once
// the request has passed. The gate makes the Room itself a context, derived from ctx.
// Room also returns the new context of the request, which asks the Room for all values
// but the adapter's own. A Room belongs to one request for as long as its context is in
// use, and must not be reused.
type Room struct{ authContext }

// Fields points to the [Verdict].Fields of the gate that the Room was for. They are
// shared and must not be modified.
func (r *Room) Fields() *[]Field { return &r.fields }

// roomFor returns the authContext of r's Room, or a new one, and the context to hand on.
func roomFor(ctx context.Context, r Request) (*authContext, context.Context) {
	if lends, ok := r.(interface {
		Room(ctx context.Context) (*Room, context.Context)
	}); ok {
		if room, own := lends.Room(ctx); room != nil && room.Context == nil {
			room.Context = ctx
			return &room.authContext, own
		}
	}
	p := &authContext{Context: ctx}
	return p, p
}

func authContextFrom(ctx context.Context) *authContext {
	p, _ := ctx.Value(authContextKey{}).(*authContext)
	return p
}

// PrincipalFrom returns the principal that passed gate one of the request whose
// context ctx is, or is derived from. ok is false if there is none: the request is
// anonymous or not guarded.
func PrincipalFrom(ctx context.Context) (p *Principal, ok bool) {
	if before := authContextFrom(ctx); before != nil && before.principal != nil {
		return before.principal, true
	}
	return nil, false
}

// PrincipalFrom returns the principal that passed gate one of g, or of a variant
// that authenticated it by a scheme g accepts. It is for requests that pass two
// guards, such as one for the calling app and one for its user; the function
// [PrincipalFrom] returns the principal of the last gate. ok is false if there is
// none.
func (g *Guard) PrincipalFrom(ctx context.Context) (p *Principal, ok bool) {
	if g == nil {
		return nil, false
	}
	if before := g.authContextFrom(ctx); before != nil && before.principal != nil {
		return before.principal, true
	}
	return nil, false
}

// ContextWithPrincipal returns a context that carries p, for tests of code that
// uses [PrincipalFrom] and for jobs that act for a principal. No gate accepts it as
// proof: a guard authenticates the request itself.
func ContextWithPrincipal(ctx context.Context, p *Principal) context.Context {
	return &authContext{Context: ctx, principal: p, admission: new(admission)}
}
