// Package core decides, for any web framework, who a request comes from and what it
// may do, and refuses it with the right response if it may not.
//
// There are two gates, and they are never confused. Gate one asks who you are:
// without a usable identity the answer is 401 with at least one challenge (RFC 9110
// §15.5.2). Gate two asks what you may do: a known principal whom policy refuses
// gets 403 without a challenge (RFC 9110 §15.5.4). A dependency that fails is 503
// and never 401 or 403.
//
// The types below are the whole seam. An adapter shows a framework's request
// as a [Request]; an [Authenticator] turns its credentials into a [Principal];
// an [Authorizer] answers an [Access] with a [Decision]; a [Responder] turns a
// [Denial] into a [Response]; an [Observer] is told of every verdict. [Guard]
// holds them together:
//
//	func newGuard(tokens bearer.TokenVerifier, policy core.Authorizer) (*core.Guard, error) {
//		scheme, err := bearer.New("reports", tokens)
//		if err != nil {
//			return nil, err
//		}
//		return core.NewGuard([]core.Authenticator{scheme}, core.WithAuthorizer(policy))
//	}
//
// Package jwtauth verifies tokens, and casbinrules reads policies. The packages
// httpauth, ginauth, fiberauth and echoauth mount the guard on routes.
//
// # Contents
//
// A guard, which [NewGuard] and [Guard.With] make, and its options:
//   - [WithAuthorizer] is gate two; [WithRoles] adds roles to principals, and
//     [WithTenant] says which tenant a request is about: [TenantFromPath],
//     [TenantFromHost], [TenantFromHeader] or [TenantFunc].
//   - [WithSchemes] narrows gate one to some schemes; [WithAttemptLimiter] limits
//     guessing, by the address of [WithClientAddress].
//   - [WithResponder], [WithConcealment], [WithRetryAfter], [WithoutPrompts] and
//     [WithSharedCaching] say what answers look like.
//   - [WithTrustedOrigins], [WithCORS], [WithMethods], [WithEncodedSlashes] and
//     [WithMaxPathSize] say which requests are looked at.
//   - [WithObserver], [LogObserver], [WithLogger], [WithTraceID] and
//     [WithPseudonyms] say who is told, and what; [NewPseudonyms] makes the same
//     pseudonyms elsewhere.
//   - [WithWarningsAsErrors] refuses set-up that is only likely to be a mistake.
//
// Gates, which adapters mount:
//   - [Guard.Authenticate] and [Guard.Optional], with [WithExpiredAsAnonymous], are
//     gate one.
//   - [Guard.Authorize], with [WithAction] and [WithResourceName], and
//     [Guard.Require] are gate two.
//
// In handlers:
//   - [PrincipalFrom] finds the [Principal]; [ContextWithPrincipal] puts one in
//     place for tests.
//   - [Recheck] asks again while a connection stays open, if the guard has
//     [WithRecheck]; [ContextWhileGood] does so by itself, [CloseCode] says why it
//     ended, and [IsRecheck] tells rules which question it is.
//
// For schemes, which implement [Authenticator]:
//   - [NewPrincipal] and [NewPrincipalOwning] make a principal; [ErrNoCredentials],
//     [CredentialError] and [UnavailableError] say why there is none.
//   - [CrossSite] tells requests that another site has caused; [Unguessable] is for
//     credentials that nobody guesses.
package core
