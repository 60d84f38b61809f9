// Package providers has no code of its own. Its tests hold the schemes against
// a real OpenID provider and a real OAuth client, both from npm: access tokens
// as JWT and opaque ones, of clients and of users, bound ones (RFC 9449), keys
// that rotate, and a provider that is down. People sign in there for sessions on every
// framework, also with Chromium, and attackers try to.
//
// The packages of package-lock.json are installed into .build/providers at the
// top of the repository, once for each lock file.
package providers
