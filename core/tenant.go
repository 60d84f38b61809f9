package core

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/ascii"
)

// TenantSource finds the tenant that a request is for. [TenantFromPath],
// [TenantFromHost], [TenantFromHeader] and [TenantFunc] return one.
type TenantSource struct {
	find func(Access) (string, error)
	vary []string
	err  error
}

// TenantFunc makes a source from a function; find returns "" for no tenant. An
// error that wraps [ErrAmbiguousCredentials] is answered with 400, any other as an
// authorizer's error. vary lists the request fields that find reads, for caches.
func TenantFunc(find func(Access) (string, error), vary ...string) TenantSource {
	s := TenantSource{find: find, vary: slices.Clone(vary)}
	if find == nil {
		s.err = errors.New("tenant function is nil")
	}
	return s
}

// WithTenant decides on each request within the tenant that it names. At every
// gate, in [Guard.CheckNow] and from [PrincipalFrom], the principal then has that
// tenant and the roles that it has there.
//
// A principal that does not belong to the tenant gets 403 with the reason
// [ReasonForeignTenant]. It belongs to the tenants that its credentials name
// ([PrincipalInfo].Tenant and Tenants) or, if they name none, to those in which the
// guard's [RoleSource] gives it a role.
//
// If the credentials name a Tenant, their roles hold in that one only; in its other
// tenants the principal has the roles that the role source gives it. If they name
// only Tenants, or none at all, their roles hold in each.
//
// For a request that names no tenant, the principal has no tenant and no roles of
// one.
func WithTenant(from TenantSource) Option {
	return func(g *Guard) error {
		switch {
		case from.err != nil:
			return from.err
		case from.find == nil:
			return errors.New("tenant source is empty: make one with TenantFromPath, TenantFromHost, TenantFromHeader or TenantFunc")
		case g.set.tenant:
			return errors.New("two tenant sources")
		}
		g.tenant, g.set.tenant = &from, true
		return nil
	}
}

// TenantFromPath takes the tenant from the segment of the canonical path that
// pattern marks with a colon: "/t/:tenant" for "/t/acme/reports". The path is known
// at every gate, even in front of the router. The other segments are compared
// without regard to letter case, since a router may fold them. If the router has
// folded the tenant's segment itself, principals that would have to belong to the
// tenant are refused, because it is not known which tenant the handler sees.
//
// [WithTenant] refuses a pattern that does not begin with a slash or whose last
// segment is not the tenant's.
func TenantFromPath(pattern string) TenantSource {
	below, rooted := strings.CutPrefix(pattern, "/")
	segments := strings.Split(below, "/")
	at := slices.IndexFunc(segments, func(s string) bool { return strings.HasPrefix(s, ":") })
	if !rooted || at != len(segments)-1 || slices.Contains(segments, "") {
		return TenantSource{err: fmt.Errorf(`tenant from path: pattern %q must be like "/t/:tenant"`, pattern)}
	}
	segments = segments[:at]
	return TenantFunc(func(a Access) (string, error) {
		rest := strings.TrimPrefix(a.Resource.Path, "/")
		for _, want := range segments {
			got, after, _ := strings.Cut(rest, "/")
			if !strings.EqualFold(got, want) {
				return "", nil
			}
			rest = after
		}
		tenant, _, _ := strings.Cut(rest, "/")
		if tenant != "" && len(a.Resource.Path)-len(rest) < a.Resource.Folded {
			return "", fmt.Errorf("%w: the router has folded the letter case of the tenant", errForeignTenant)
		}
		return tenant, nil
	})
}

// TenantFromHost takes the tenant from the host, as the label in front of domain:
// "acme" from "acme.app.example" for the domain "app.example". Letter case, port
// and a trailing dot are ignored. A host that is not exactly one label below domain
// names no tenant. The host comes from the client: it chooses among the principal's
// tenants and proves nothing. Handlers take the tenant from the principal, since a
// framework's own host may come from X-Forwarded-Host.
func TenantFromHost(domain string) TenantSource {
	domain = ascii.Lower(strings.Trim(domain, "."))
	if domain == "" {
		return TenantSource{err: errors.New("tenant from host: domain must not be empty")}
	}
	return TenantFunc(func(a Access) (string, error) {
		host := a.Request.Host()
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		tenant, below := strings.CutSuffix(ascii.Lower(strings.TrimSuffix(host, ".")), "."+domain)
		if !below || strings.Contains(tenant, ".") {
			return "", nil
		}
		return tenant, nil
	})
}

// TenantFromHeader takes the tenant from a header field. Two lines of it are
// refused with 400. Responses vary on it.
func TenantFromHeader(name string) TenantSource {
	if !challenge.IsToken(name) {
		return TenantSource{err: fmt.Errorf("tenant from header: %q is not the name of a field (RFC 9110 §5.1)", name)}
	}
	return TenantFunc(func(a Access) (string, error) {
		tenant, lines := a.Request.Header(name)
		if lines > 1 {
			return "", fmt.Errorf("%w: %d lines of %s", ErrAmbiguousCredentials, lines, name)
		}
		return tenant, nil
	}, name)
}

// errForeignTenant refuses a principal that does not belong to the request's
// tenant.
var errForeignTenant = errors.New("not one of the principal's tenants")

// inTenant restricts the principal of id to the request's tenant.
func (g *Guard) inTenant(ctx context.Context, id *identity, a *Access, others []Resource) *Denial {
	tenant, err := g.tenant.find(*a)
	for i := range others {
		if err != nil {
			break
		}
		other := *a
		other.Resource = others[i]
		var also string
		if also, err = g.tenant.find(other); err == nil && also != tenant {
			err = fmt.Errorf("%w: the request can be for %.128q or for %.128q", errForeignTenant, tenant, also)
		}
	}
	switch {
	case err == nil:
	case errors.Is(err, errForeignTenant):
		return g.foreignTenant(err)
	case errors.Is(err, ErrAmbiguousCredentials):
		return g.refuse(a.Request, -1, err)
	default:
		return g.failure(err)
	}
	whole := id.principal
	if whole.whole != nil {
		if whole.Tenant() == tenant {
			return nil // an earlier gate has done it
		}
		whole = whole.whole
	}
	p := whole.within(tenant)
	member := tenant == "" || tenant == whole.info.Tenant || slices.Contains(whole.info.Tenants, tenant)
	unnamed := whole.info.Tenant == "" && len(whole.info.Tenants) == 0
	if !member && !unnamed {
		return g.foreignTenant(fmt.Errorf("%w: %.128q", errForeignTenant, tenant))
	}
	if g.roles != nil {
		extra, err := g.roles.RolesOf(ctx, p)
		if err != nil {
			return g.failure(err)
		}
		member = member || len(extra) > 0
		if len(extra) > 0 {
			p = p.withRoles(extra)
		}
	}
	if !member {
		return g.foreignTenant(fmt.Errorf("%w: %.128q", errForeignTenant, tenant))
	}
	id.principal = p
	return nil
}

// foreignTenant returns the denial whose cause names the request's tenant: the
// event has only the principal's.
func (g *Guard) foreignTenant(cause error) *Denial {
	d := *g.forbiddenDenial(ReasonForeignTenant)
	d.Cause = cause
	return &d
}

// within returns p in a tenant, "" for none, with the roles of its credentials that
// hold there.
func (p *Principal) within(tenant string) *Principal {
	q := &Principal{info: p.info, whole: p}
	q.info.Tenant = tenant
	if p.info.Tenant != "" && p.info.Tenant != tenant {
		q.info.Roles = nil
	}
	return q
}
