package jwtauth

// WithRoles names a claim that holds the principal's roles; "roles" by default. It
// is an array of strings, or one string, which is one role and is never split;
// null, "" and a missing claim mean no roles. A token with anything else is
// refused.
//
// Dots descend into objects, as in "realm_access.roles". A dot inside a name is
// written \., as in `resource_access.reports\.api.roles`, and a backslash \\; a URL
// without backslashes is one name.
//
// If it is given more than once, or together with [WithRolesFromKeys], the roles of
// all these claims are combined.
func WithRoles(claim string) Option {
	return func(v *Verifier) error { return v.mapping.AddRoles(claim) }
}

// WithRolesFromKeys names a claim that is an object whose member names are the
// principal's roles, such as {"editor": {…}}; otherwise it is like [WithRoles]. A
// member counts if it is true or an object, and does not if it is false or null.
func WithRolesFromKeys(claim string) Option {
	return func(v *Verifier) error { return v.mapping.AddRoleKeys(claim) }
}

// WithScopes names the claim that holds the scopes; "scope" by default. It is one
// string, separated by spaces (RFC 8693 §4.2), or an array of strings with one
// scope in each, such as the "scp" of some issuers. The name is read as in
// [WithRoles].
func WithScopes(claim string) Option {
	return func(v *Verifier) error { return v.mapping.SetScopes(claim) }
}

// WithTenant names the claim that holds the principal's tenant as a string, or all
// its tenants as an array of strings ([core.WithTenant] chooses for each request).
// Without this option, or without the claim, the principal has no tenant. The name
// is read as in [WithRoles].
func WithTenant(claim string) Option {
	return func(v *Verifier) error { return v.mapping.SetTenant(claim) }
}

// WithID names the claim that is the ID of users in place of sub, such as
// "preferred_username", "email" or "oid". Its value must be a string and not empty,
// or the token is refused; sub may then be missing. The name is read as in
// [WithRoles]. For the IDs of clients see [WithClientPrefix].
//
// Choose only a claim that the issuer keeps unique and never reassigns: a user who
// can change the claim, or who gets another user's old address or name, becomes
// that user. sub is never reassigned (OpenID Connect Core §2); an email address may
// be, and may not even be verified.
func WithID(claim string) Option {
	return func(v *Verifier) error { return v.mapping.SetID(claim) }
}

// WithIDPrefix sets a prefix for the IDs of all principals of this issuer, users and
// clients, such as "partner:"; none by default. A sub is unique only within its
// issuer (RFC 7519 §4.1.2): without different prefixes, a user of one issuer who has
// the sub of a user of another is that user to the policy.
func WithIDPrefix(prefix string) Option {
	return func(v *Verifier) error { return v.mapping.SetIDPrefix(prefix) }
}

// WithClientPrefix sets the prefix that keeps clients apart from users, "client:"
// by default: the ID of the principal of a token that a client obtained for itself
// is prefix followed by the client. So a client that registers under a user's name
// does not become that user (RFC 9700 §4.15). A user whose ID begins with prefix is
// refused.
//
// In such a token the client is also the sub (RFC 9068 §2.2). The client is
// client_id, or the first of azp, cid and appid in tokens without it; a token with
// none of them counts as a user's. Some issuers put another sub into the tokens of
// clients, which then look like a user's; give those clients an audience of their
// own.
func WithClientPrefix(prefix string) Option {
	return func(v *Verifier) error { return v.mapping.SetClientPrefix(prefix) }
}

// WithoutClients refuses tokens that a client obtained for itself (see
// [WithClientPrefix]) with 401.
func WithoutClients() Option {
	return func(v *Verifier) error { return v.mapping.RefuseClients() }
}

// WithClientsAsUsers gives clients IDs as it does users, from sub or [WithID]. A
// client that registers under the name of a user then is that user: use it only
// with issuers that choose the names of all clients themselves.
func WithClientsAsUsers() Option {
	return func(v *Verifier) error { return v.mapping.ClientsAsUsers() }
}

// WithAuthorizedClients names the clients to which tokens may have been issued,
// client_id or the first of azp, cid and appid; any client by default. A token of
// another client, or of none, is refused like one for another audience. If the
// option is given more than once, all named clients are accepted.
//
// It is for issuers whose access tokens have no aud, with [WithoutAudience], and
// for services that only some of an issuer's clients may call. It does not restrict
// users.
func WithAuthorizedClients(clients ...string) Option {
	return func(v *Verifier) error { return v.mapping.AddAuthorizedClients(clients) }
}
