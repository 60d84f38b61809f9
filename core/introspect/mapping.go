package introspect

// WithRoles names a member that holds the principal's roles; "roles" by default. It
// is an array of strings, or one string, which is one role and is never split;
// null, "" and a missing member mean no roles. Anything else invalidates the
// answer.
//
// Dots descend into objects, as in "realm_access.roles". A dot inside a name is
// written \., as in `resource_access.reports\.api.roles`, and a backslash \\; a URL
// without backslashes is one name.
//
// If it is given more than once, or together with [WithRolesFromKeys], the roles of
// all these members are combined.
func WithRoles(member string) Option {
	return func(v *Verifier) error { return v.mapping.AddRoles(member) }
}

// WithRolesFromKeys names a member that is an object whose member names are the
// principal's roles, such as {"editor": {…}}; otherwise it is like [WithRoles]. A
// role counts if its value is true or an object, and does not if it is false or
// null.
func WithRolesFromKeys(member string) Option {
	return func(v *Verifier) error { return v.mapping.AddRoleKeys(member) }
}

// WithScopes names the member that holds the scopes; "scope" by default. It is one
// string, separated by spaces (RFC 7662 §2.2), or an array of strings with one
// scope in each. The name is read as in [WithRoles].
func WithScopes(member string) Option {
	return func(v *Verifier) error { return v.mapping.SetScopes(member) }
}

// WithTenant names the member that holds the principal's tenant as a string, or all
// its tenants as an array of strings ([core.WithTenant] chooses for each request).
// Without this option, or without the member, the principal has no tenant. The name
// is read as in [WithRoles].
func WithTenant(member string) Option {
	return func(v *Verifier) error { return v.mapping.SetTenant(member) }
}

// WithID names the member that is the ID of users in place of sub, such as
// "username", "preferred_username", "email" or "oid". Its value must be a string
// and not empty, or the token is refused. The name is read as in [WithRoles]. For
// the IDs of clients see [WithClientPrefix].
//
// Choose only a member that the issuer keeps unique and never reassigns: a user who
// can change the member, or who gets another user's old address or name, becomes
// that user. sub is never reassigned (OpenID Connect Core §2); an email address may
// be, and may not even be verified.
func WithID(member string) Option {
	return func(v *Verifier) error { return v.mapping.SetID(member) }
}

// WithIDPrefix sets a prefix for the IDs of all principals of this issuer, users and
// clients, such as "partner:"; none by default. A sub is unique only within its
// issuer (RFC 7519 §4.1.2): without different prefixes, a user of one issuer who has
// the sub of a user of another is that user to the policy.
func WithIDPrefix(prefix string) Option {
	return func(v *Verifier) error { return v.mapping.SetIDPrefix(prefix) }
}

// IDPrefixes returns the prefix of [WithIDPrefix], if there is one, as jwtauth.ByForm
// needs it.
func (v *Verifier) IDPrefixes() []string { return v.mapping.IDPrefixes() }

// WithClientPrefix sets the prefix that keeps clients apart from users, "client:"
// by default: the ID of the principal of a token that a client obtained for itself
// is prefix followed by the client. So a client that registers under a user's name
// does not become that user (RFC 9700 §4.15). A user whose ID begins with prefix is
// refused.
//
// In the answer for such a token the client is also the sub, or there is no sub,
// which RFC 7662 §2.2 makes optional, or with [WithID] no such member. The client
// is client_id, or the first of azp, cid and appid in answers without it. Some
// servers put another sub into the answers for clients, which then look like a
// user's; give those clients an audience of their own. Others omit sub for users as
// well: use [WithID], or all users of a client are one principal.
func WithClientPrefix(prefix string) Option {
	return func(v *Verifier) error { return v.mapping.SetClientPrefix(prefix) }
}

// WithoutClients refuses tokens that a client obtained for itself (see
// [WithClientPrefix]) with 401.
func WithoutClients() Option {
	return func(v *Verifier) error { return v.mapping.RefuseClients() }
}

// WithClientsAsUsers gives clients IDs as it does users, from sub or [WithID], or
// from the client if there is no sub. A client that registers under the name of a
// user then is that user: use it only with servers that choose the names of all
// clients themselves.
func WithClientsAsUsers() Option {
	return func(v *Verifier) error { return v.mapping.ClientsAsUsers() }
}

// WithNonce accepts access tokens that carry a nonce but are not called access
// tokens, as some servers make them. ID tokens are then recognized only by their
// other marks (see [Verifier.VerifyToken]).
func WithNonce() Option {
	return func(v *Verifier) error {
		v.mapping.AllowNonce()
		return nil
	}
}

// WithAuthorizedClients names the clients to which tokens may have been issued,
// client_id or the first of azp, cid and appid; any client by default. A token of
// another client, or of none, is refused like one for another audience. If the
// option is given more than once, all named clients are accepted.
//
// It is for issuers whose answers have no aud, with [WithoutAudience], and for
// services that only some of an issuer's clients may call. It does not restrict
// users.
func WithAuthorizedClients(clients ...string) Option {
	return func(v *Verifier) error { return v.mapping.AddAuthorizedClients(clients) }
}
