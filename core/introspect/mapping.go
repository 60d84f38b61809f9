package introspect

// WithRoles names a member that holds the principal's roles; "roles" by default. It
// is an array of strings, or one string, which is one role and is never split;
// null, "" and no member at all are no roles. Anything else is no answer.
//
// Dots step into objects, as in "realm_access.roles". A dot inside a name is
// written \., as in `resource_access.reports\.api.roles`, and a backslash \\; a
// URL without backslashes is one name.
//
// Given more than once, with [WithRolesFromKeys] too, the roles of all these
// members count together.
func WithRoles(member string) Option {
	return func(v *Verifier) error { return v.mapping.AddRoles(member) }
}

// WithRolesFromKeys names a member that is an object whose own members are named
// as the principal's roles, such as {"editor": {…}}; otherwise as [WithRoles]. One of
// them counts if it is true or an object, and does not if it is false or null.
func WithRolesFromKeys(member string) Option {
	return func(v *Verifier) error { return v.mapping.AddRoleKeys(member) }
}

// WithScopes names the member that holds the scopes; "scope" by default. It is one
// string, separated by spaces (RFC 7662 §2.2), or an array of strings with one
// scope in each. The name is read as in [WithRoles].
func WithScopes(member string) Option {
	return func(v *Verifier) error { return v.mapping.SetScopes(member) }
}

// WithTenant names the member that holds the principal's tenant, a string, or an
// array of strings with all of them ([core.WithTenant] chooses by request). Without
// this option, or without the member, the principal has no tenant. The name is
// read as in [WithRoles].
func WithTenant(member string) Option {
	return func(v *Verifier) error { return v.mapping.SetTenant(member) }
}

// WithID names the member that is the ID of users in place of sub, such as
// "username", "preferred_username", "email" or "oid". Its value must be a string
// and not empty, or the token is refused. The name is read as in [WithRoles].
// Clients are named as [WithClientPrefix] says.
//
// Take only what the issuer keeps unique and never gives to somebody else: a
// user who can change the member, or who gets an address or a name that was
// another's, becomes that other. sub is never reassigned (OpenID Connect Core
// §2), an email address may be, and may not even be verified.
func WithID(member string) Option {
	return func(v *Verifier) error { return v.mapping.SetID(member) }
}

// WithClientPrefix sets what keeps clients apart from users, "client:" by default:
// the principal of a token that a client obtained for itself is named prefix
// followed by the client. So no client that registers under a user's name becomes
// that user (RFC 9700 §4.15). A user whose ID begins with prefix is refused.
//
// Such a token is one whose client is its sub, or one without sub, which RFC 7662
// §2.2 leaves optional; with [WithID] it is one without that member, too. The
// client is client_id, or the first of azp, cid and appid in answers without it.
// Some servers put another sub into the answers for clients, which nothing here
// can tell from a user's; give those an audience of their own. Others leave sub
// out for users as well: name them with [WithID], or all users of one client are
// one principal.
func WithClientPrefix(prefix string) Option {
	return func(v *Verifier) error { return v.mapping.SetClientPrefix(prefix) }
}

// WithoutClients refuses tokens that a client obtained for itself, as
// [WithClientPrefix] tells them, with 401.
func WithoutClients() Option {
	return func(v *Verifier) error { return v.mapping.RefuseClients() }
}

// WithClientsAsUsers names clients as users are named: by sub or [WithID], and by
// the client where there is no sub. A client that registers under the name of a
// user then is that user: it is for servers that choose the names of all clients
// themselves.
func WithClientsAsUsers() Option {
	return func(v *Verifier) error { return v.mapping.ClientsAsUsers() }
}

// WithNonce accepts access tokens that carry a nonce, as some servers make them
// that do not call them access tokens either. ID tokens are then told by their
// other marks alone (see [Verifier.VerifyToken]).
func WithNonce() Option {
	return func(v *Verifier) error {
		v.mapping.AllowNonce()
		return nil
	}
}

// WithAuthorizedClients names the clients to which tokens may have been issued,
// client_id or the first of azp, cid and appid; any client by default. A token of
// another client, or of none, is refused as one for another audience. Given more
// than once, all of them are good.
//
// It is for issuers whose answers have no aud, with [WithoutAudience], and for services
// that only some of an issuer's clients may call. It says nothing about users.
func WithAuthorizedClients(clients ...string) Option {
	return func(v *Verifier) error { return v.mapping.AddAuthorizedClients(clients) }
}
