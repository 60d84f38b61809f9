package jwtauth

// WithRoles names a claim that holds the principal's roles; "roles" by default. It
// is an array of strings, or one string, which is one role and is never split;
// null, "" and no claim at all are no roles. Anything else refuses the token.
//
// Dots step into objects, as in "realm_access.roles". A dot inside a name is
// written \., as in `resource_access.reports\.api.roles`, and a backslash \\; a
// URL without backslashes is one name.
//
// Given more than once, with [WithRolesFromKeys] too, the roles of all these
// claims count together.
func WithRoles(claim string) Option {
	return func(v *Verifier) error { return v.mapping.AddRoles(claim) }
}

// WithRolesFromKeys names a claim that is an object whose members are named as
// the principal's roles, such as {"editor": {…}}; otherwise as [WithRoles]. A member
// counts if it is true or an object, and does not if it is false or null.
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

// WithTenant names the claim that holds the principal's tenant, a string, or an
// array of strings with all of them ([core.WithTenant] chooses by request). Without
// this option, or without the claim, the principal has no tenant. The name is
// read as in [WithRoles].
func WithTenant(claim string) Option {
	return func(v *Verifier) error { return v.mapping.SetTenant(claim) }
}

// WithID names the claim that is the ID of users in place of sub, such as
// "preferred_username", "email" or "oid". Its value must be a string and not
// empty, or the token is refused; sub may then be missing. The name is read as in
// [WithRoles]. Clients are named as [WithClientPrefix] says.
//
// Take only what the issuer keeps unique and never gives to somebody else: a
// user who can change the claim, or who gets an address or a name that was
// another's, becomes that other. sub is never reassigned (OpenID Connect Core
// §2), an email address may be, and may not even be verified.
func WithID(claim string) Option {
	return func(v *Verifier) error { return v.mapping.SetID(claim) }
}

// WithClientPrefix sets what keeps clients apart from users, "client:" by default:
// the principal of a token that a client obtained for itself is named prefix
// followed by the client. So no client that registers under a user's name becomes
// that user (RFC 9700 §4.15). A user whose ID begins with prefix is refused.
//
// Such a token is one whose client is its sub (RFC 9068 §2.2). The client is
// client_id, or the first of azp, cid and appid in tokens without it; a token
// with none of them counts as a user's. Some issuers put another sub into the
// tokens of clients, which nothing here can tell from a user's; give those an
// audience of their own.
func WithClientPrefix(prefix string) Option {
	return func(v *Verifier) error { return v.mapping.SetClientPrefix(prefix) }
}

// WithoutClients refuses tokens that a client obtained for itself, as
// [WithClientPrefix] tells them, with 401.
func WithoutClients() Option {
	return func(v *Verifier) error { return v.mapping.RefuseClients() }
}

// WithClientsAsUsers names clients as users are named, by sub or [WithID]. A
// client that registers under the name of a user then is that user: it is for
// issuers that choose the names of all clients themselves.
func WithClientsAsUsers() Option {
	return func(v *Verifier) error { return v.mapping.ClientsAsUsers() }
}

// WithAuthorizedClients names the clients to which tokens may have been issued,
// client_id or the first of azp, cid and appid; any client by default. A token of
// another client, or of none, is refused as one for another audience. Given more
// than once, all of them are good.
//
// It is for issuers whose access tokens have no aud, with [WithoutAudience], and for services
// that only some of an issuer's clients may call. It says nothing about users.
func WithAuthorizedClients(clients ...string) Option {
	return func(v *Verifier) error { return v.mapping.AddAuthorizedClients(clients) }
}
