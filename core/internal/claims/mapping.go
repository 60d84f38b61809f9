package claims

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/once"
)

// DefaultClientPrefix is the default prefix of the IDs of clients.
const DefaultClientPrefix = "client:"

// Mapping says which claims make a principal. The zero Mapping reads sub, roles
// and scope, and keeps clients apart from users by [DefaultClientPrefix].
type Mapping struct {
	// SubjectOptional treats claims without sub as those of a client, as RFC 7662
	// §2.2 allows.
	SubjectOptional bool

	id       Path // of a user; nil for sub
	roles    []roleClaim
	scopes   Path // nil for scope
	tenant   Path // nil for none
	clients  clientRule
	prefix   string // "" for the default
	idPrefix string // of all IDs
	only     []string
	kinds    kinds
	set      once.Options
}

// roleClaim is a place where roles are found.
type roleClaim struct {
	path Path
	read func(Set, Path) ([]string, error)
}

// clientRule says how to treat a token that a client obtained for itself.
type clientRule int

const (
	clientsPrefixed clientRule = iota
	clientsRefused
	clientsAsUsers
)

var (
	subject      = Path{"sub"}
	defaultRoles = []roleClaim{{Path{"roles"}, Names}}
	defaultScope = Path{"scope"}
)

// AddRoles adds a claim that holds roles by [Names].
func (m *Mapping) AddRoles(name string) error { return m.addRoles(name, Names) }

// AddRoleKeys adds a claim that holds roles by [Keys].
func (m *Mapping) AddRoleKeys(name string) error { return m.addRoles(name, Keys) }

func (m *Mapping) addRoles(name string, read func(Set, Path) ([]string, error)) error {
	p, err := ParsePath(name)
	m.roles = append(m.roles, roleClaim{p, read})
	return err
}

// SetScopes sets the claim that holds the scopes.
func (m *Mapping) SetScopes(name string) error { return m.setPath(&m.scopes, "claim of scopes", name) }

// SetTenant sets the claim that holds the tenant.
func (m *Mapping) SetTenant(name string) error {
	return m.setPath(&m.tenant, "claim of the tenant", name)
}

// SetID sets the claim that names users in place of sub.
func (m *Mapping) SetID(name string) error { return m.setPath(&m.id, "claim of the ID", name) }

func (m *Mapping) setPath(to *Path, what, name string) (err error) {
	*to, err = ParsePath(name)
	return m.set.Once("the "+what, err)
}

// SetClientPrefix sets the prefix of the IDs of clients.
func (m *Mapping) SetClientPrefix(prefix string) error {
	if prefix == "" || !ControlFree(prefix) {
		return errors.New("client prefix is empty or has a control character")
	}
	m.prefix = prefix
	return m.setClients(clientsPrefixed)
}

// SetIDPrefix sets the prefix of all IDs, by which those of this issuer differ from
// those of others.
func (m *Mapping) SetIDPrefix(prefix string) error {
	switch {
	case prefix == "" || !ControlFree(prefix):
		return errors.New("ID prefix is empty or has a control character")
	case strings.HasPrefix(prefix, DefaultClientPrefix), strings.HasPrefix(DefaultClientPrefix, prefix): // users could have the IDs of another issuer's clients
		return fmt.Errorf("ID prefix %q: IDs that begin so can be those of clients, which begin with %q", prefix, DefaultClientPrefix)
	}
	m.idPrefix = prefix
	return m.set.Add("the prefix of IDs")
}

// IDPrefix returns the prefix of all IDs, "" for none.
func (m *Mapping) IDPrefix() string { return m.idPrefix }

// IDPrefixes returns the prefix of all IDs, if there is one.
func (m *Mapping) IDPrefixes() []string {
	if m.idPrefix == "" {
		return nil
	}
	return []string{m.idPrefix}
}

// PrefixOf returns the length of the longest of prefixes that id begins with.
func PrefixOf(id string, prefixes []string) (length int) {
	for _, p := range prefixes {
		if len(p) > length && strings.HasPrefix(id, p) {
			length = len(p)
		}
	}
	return length
}

// RefuseClients refuses the tokens of clients.
func (m *Mapping) RefuseClients() error { return m.setClients(clientsRefused) }

// ClientsAsUsers gives clients IDs without a prefix.
func (m *Mapping) ClientsAsUsers() error { return m.setClients(clientsAsUsers) }

func (m *Mapping) setClients(rule clientRule) error {
	if m.set.Add("what to do with clients") != nil {
		return errors.New("the treatment of clients is given twice: use one of WithClientPrefix (client_prefix), WithoutClients (clients: refused) and WithClientsAsUsers (clients: as_users), once")
	}
	m.clients = rule
	return nil
}

// AddAuthorizedClients accepts only tokens of the named clients.
func (m *Mapping) AddAuthorizedClients(clients []string) error {
	if len(clients) == 0 || slices.Contains(clients, "") {
		return errors.New("authorized client is empty")
	}
	m.only = append(m.only, clients...)
	return nil
}

// CheckClient refuses a token of a client that is not authorized, if any are named.
func (m *Mapping) CheckClient(s Set) error {
	if m.only == nil {
		return nil
	}
	client, err := Client(s)
	if err == nil && !slices.Contains(m.only, client) {
		err = fmt.Errorf("the token was issued to client %.128q, which is not one of %.512q", client, strings.Join(m.only, " "))
	}
	return err
}

// ID returns the principal's ID. An error means that the token names nobody.
func (m *Mapping) ID(s Set) (string, error) {
	id, err := m.unprefixed(s)
	if err != nil || m.idPrefix == "" {
		return id, err
	}
	return m.idPrefix + id, nil
}

// unprefixed returns the ID by which the issuer knows the principal.
func (m *Mapping) unprefixed(s Set) (string, error) {
	sub, err := Text(s, subject)
	if err != nil {
		return "", err
	}
	client, err := Client(s)
	if err != nil {
		return "", err
	}
	id, from := sub, subject
	if m.id != nil {
		from = m.id
		if id, err = Text(s, from); err != nil {
			return "", err
		}
	}
	own := client != "" && (client == sub || m.SubjectOptional && sub == "" && id == "")
	if own && m.clients != clientsAsUsers {
		if m.clients == clientsRefused {
			return "", fmt.Errorf("the token was issued to client %.128q for itself", client)
		}
		return m.clientPrefix() + client, nil
	}
	if own && id == "" && m.id == nil {
		id = client
	}
	return id, m.checkUser(id, sub, client, from)
}

// checkUser refuses IDs of users that could be those of clients.
func (m *Mapping) checkUser(id, sub, client string, from Path) error {
	switch {
	case id == "" && m.SubjectOptional:
		return fmt.Errorf("no %s, and no client_id", from)
	case id == "":
		return fmt.Errorf("no %s", from)
	case m.clients == clientsAsUsers:
		return nil
	case sub == "" && id == client:
		// It is unknown whether this is the client or a user with its name.
		return fmt.Errorf("no sub, and %s is the client's own name", from)
	case m.clients == clientsPrefixed && strings.HasPrefix(id, m.clientPrefix()):
		return fmt.Errorf("%s begins like the names of clients, with %q", from, m.clientPrefix())
	}
	return nil
}

func (m *Mapping) clientPrefix() string {
	return cmp.Or(m.prefix, DefaultClientPrefix)
}

// clientClaims name the client that a token was issued to, the first that is
// there: RFC 8693 §4.3, OpenID Connect Core §2, and two issuers of their own.
var clientClaims = [...]Path{{"client_id"}, {"azp"}, {"cid"}, {"appid"}}

// Client returns the client that a token was issued to, or "" if it does not say.
func Client(s Set) (string, error) {
	for _, p := range clientClaims {
		if client, err := Text(s, p); client != "" || err != nil {
			return client, err
		}
	}
	return "", nil
}

// Fill adds roles, scopes, tenant and auth_time to info, and the claims.
func (m *Mapping) Fill(s Set, info *core.PrincipalInfo) (err error) {
	info.Claims = s
	if info.Roles, err = m.rolesOf(s); err != nil {
		return err
	}
	scopes := m.scopes
	if scopes == nil {
		scopes = defaultScope
	}
	if info.Scopes, err = Scopes(s, scopes); err != nil {
		return err
	}
	if m.tenant != nil {
		if info.Tenant, info.Tenants, err = tenants(s, m.tenant); err != nil {
			return err
		}
	}
	info.AuthTime, _, err = Date(s, "auth_time")
	return err
}

// tenants returns the tenants at p: one as a string, or those of an array.
func tenants(s Set, p Path) (tenant string, all []string, err error) {
	if v, err := lookup(s, p); err == nil {
		if elements, ok := v.([]any); ok {
			all, err = texts(elements, p)
			return "", all, err
		}
	}
	tenant, err = Text(s, p)
	return tenant, nil, err
}

func (m *Mapping) rolesOf(s Set) ([]string, error) {
	places := m.roles
	if places == nil {
		places = defaultRoles
	}
	if len(places) == 1 {
		return places[0].read(s, places[0].path)
	}
	var all []string
	for _, place := range places {
		roles, err := place.read(s, place.path)
		if err != nil {
			return nil, err
		}
		all = append(all, roles...)
	}
	return all, nil
}
