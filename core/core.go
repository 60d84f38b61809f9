package core

import (
	"context"
	"crypto/tls"
	"io"
	"iter"
	"time"

	"github.com/sallyport-go/sallyport/core/challenge"
)

// Request is the view of a request that the gates see, whatever the framework.
//
// Every string it returns may be kept after the request has ended; an adapter for a
// framework that reuses its buffers copies them. The Request itself must not be
// kept. Implementations need not be safe for concurrent use.
type Request interface {
	// Method returns the request method exactly as received; methods are
	// case-sensitive (RFC 9110 §9.1).
	Method() string
	// Target returns the request target exactly as received, including the query.
	Target() string
	// Host returns the host that the request names, from Host or an absolute
	// target. The client chooses it, so it proves nothing.
	Host() string
	// Route returns what the framework's router matched, or [ErrAmbiguousPath] if
	// router and request disagree.
	Route() (Route, error)
	// Param returns the named path parameter, decoded once, or "".
	Param(name string) string
	// Header returns the first value of the named header field and the number of
	// its field lines (RFC 9110 §5.3).
	Header(name string) (value string, count int)
	// Cookie returns the first cookie with the given name and the number of such
	// cookies.
	Cookie(name string) (value string, count int)
	// Query returns the first query parameter with the given name, decoded, and the
	// number of such parameters.
	Query(name string) (value string, count int)
	// TLS returns the connection's TLS state, or nil for a plain connection.
	TLS() *tls.ConnectionState
	// RemoteAddr returns the peer's address as "host:port". Behind a proxy that is
	// the proxy's address.
	RemoteAddr() string
}

// Route is what a router matched.
type Route struct {
	// Pattern is the route as the application registered it, in the
	// framework's own spelling ("/reports/:id"); "" when no route matched.
	Pattern string
	// Path is the request path without the query, its literal parts in the letter
	// case of the router.
	Path string
	// Escaped reports whether Path is still percent-encoded.
	Escaped bool
	// Folded is the length in bytes of the prefix of Path that the router keeps in
	// lower case, however the application registered it. A rule may use the
	// application's spelling, so a path that is denied in any letter case is
	// denied.
	Folded int
	// Alternatives lists other routes that may serve the request, for a router that
	// cannot tell in advance which handler will answer because an earlier one may
	// pass the request on. A gate lets the request pass only if the rules allow all
	// of them too. Their own Alternatives are ignored.
	Alternatives []Route
	// InnerSlashes is the number of encoded slashes in an escaped Path that the
	// router matched inside single-segment parameters. Only guards with
	// [WithEncodedSlashes] use it.
	InnerSlashes int
}

// Resource is what a request wants to act on.
type Resource struct {
	// Route is the matched pattern; "" when no route matched.
	Route string
	// Path is the canonical path: decoded once, no trailing slash, literal parts in
	// the letter case of the route. An encoded slash that [WithEncodedSlashes] lets
	// through appears as "%2F".
	Path string
	// Folded is the length in bytes of the prefix of Path that may have been
	// registered in another letter case, which the router does not keep. An
	// [Authorizer] that compares Path with patterns must deny a request if they
	// deny it in any letter case of that prefix. If it compares Route, any Folded
	// but 0 applies to all of Route.
	Folded int
	// Name is the name given to the gate with [WithResourceName], or "".
	Name string
}

// Access is one question to an [Authorizer].
type Access struct {
	// Action is the request method, or the name given with [WithAction].
	Action   string
	Resource Resource
	// Request is the request itself, for rules that need more than path and method.
	// It must not be kept.
	Request Request
}

// Authenticator turns one kind of credentials into a [Principal].
// Implementations must be safe for concurrent use.
type Authenticator interface {
	// Scheme describes the scheme to the guard. It is called when a guard is
	// assembled, never for a request.
	Scheme() Scheme

	// Authenticate returns the principal that the credentials prove.
	//
	// It returns [ErrNoCredentials] if the request carries no credentials of its
	// kind, a [CredentialError] if they prove nobody (401), an error that wraps
	// [ErrAmbiguousCredentials] if they can be read two ways (400), and an
	// [InternalError] for a fault of the program (500). Any other error means that
	// it could not be decided, and results in 503: a key server that is down logs
	// nobody out.
	Authenticate(ctx context.Context, r Request) (*Principal, error)

	// Challenges returns how to authenticate, one challenge per header line (RFC
	// 9110 §11.6.1). err is the error of this authenticator's Authenticate,
	// [ErrNoCredentials] if another one failed, a [ScopeError] or a [StepUpError].
	// For [ErrNoCredentials] and a [CredentialError] it must return at least one
	// challenge. For other errors it may return none, and only challenges whose
	// error parameter is the denial's own code are sent. The result must not be
	// modified.
	Challenges(r Request, err error) []challenge.Challenge
}

// Scheme is how an [Authenticator] describes itself. Everything that protects a
// scheme is in it, so that a struct that embeds an Authenticator keeps all of it.
//
// An Authenticator that wraps another one may change its Scheme, but may not
// protect less than the wrapped one asks for: that is an error when a guard is
// assembled. Wrapped authenticators are found through a method Unwrap()
// Authenticator and in the wrapper's fields.
type Scheme struct {
	// Name is the scheme's name as a challenge spells it, such as "Bearer". A
	// guard accepts each name once, in any letter case.
	Name string

	// Sender says who adds the credentials to a request. It must be set.
	Sender Sender

	// Vary lists the request header fields that the scheme reads, so that caches
	// keep responses apart (RFC 9110 §12.5.5); nil for a scheme that reads none,
	// only the connection.
	Vary []string

	// Attempt reports whether a request carries credentials of the scheme that can
	// be guessed, and returns the account that they claim to be for, or "" if they
	// name none. It verifies nothing. It must be cheap compared with Authenticate,
	// and safe for concurrent use. An [AttemptLimiter] counts failed attempts.
	// Attempt must be set: to [Unguessable] if guessing is hopeless, as with random
	// session IDs of 128 bits.
	Attempt func(r Request) (account string, ok bool)

	// Inform returns header fields other than challenges for the response to r,
	// such as DPoP-Nonce or Set-Cookie; it is nil for a scheme that never has any.
	// If err is nil, r passed as p; otherwise r was refused, or authenticated by
	// another scheme, and err is as in [Authenticator.Challenges]. It must be safe
	// for concurrent use, and its result must not be modified.
	Inform func(r Request, p *Principal, err error) []Field
}

// Sender says who adds credentials to a request. The zero Sender is invalid.
type Sender uint8

const (
	// SentByClient means that the program making the request adds the credentials
	// on purpose, as a script does with a token. A page of another site cannot.
	SentByClient Sender = iota + 1
	// SentByBrowser means that a browser may add the credentials by itself,
	// whichever page caused the request: cookies, client certificates, passwords of
	// Basic and Digest. A guard refuses them with 403 on unsafe methods and
	// WebSocket upgrades from another site; see [WithTrustedOrigins].
	SentByBrowser
)

// Unguessable is the [Scheme.Attempt] of schemes whose credentials cannot be
// guessed.
func Unguessable(Request) (account string, ok bool) { return "", false }

// AttemptLimiter limits guessing. Implementations must be safe for concurrent use
// and use a bounded amount of memory.
//
// Allow reserves an attempt and Report settles it, so that no more attempts run at
// the same time than the limiter lets fail. Each is one atomic step on a counter of
// the address and one of the account, so a store shared by processes can implement
// them.
type AttemptLimiter interface {
	// Allow is called before guessable credentials ([Scheme.Attempt]) are checked,
	// and reserves an attempt. A [LimitError] refuses them unchecked, right or
	// wrong, with 429; any other error results in 503. If [LimitError.Pending] is
	// set, a guard asks again for a few seconds.
	Allow(ctx context.Context, r Request, account string) error
	// Report is called once after each Allow that returned nil, with the result of
	// the attempt: nil for success, or the error of Authenticate. The limiter
	// decides which errors count: an outage or an expired token is not a guess, and
	// returns the reservation as a success does. A reservation that is never
	// reported, because the process died, must expire. Report must settle the
	// attempt even if ctx is canceled meanwhile.
	Report(ctx context.Context, r Request, account string, err error)
}

// Endpoint serves a request by itself, for instance with a metadata document.
// Adapters mount one with their function Serve. It must be safe for concurrent use;
// the body is omitted from the response to a HEAD request.
type Endpoint func(ctx context.Context, r Request) Response

// BodyReader is a [Request] whose body an [Endpoint] can read. The requests of all
// adapters implement it; gates never read a body.
type BodyReader interface {
	Request
	// Body returns the unread part of the body, with any content coding still
	// applied, or an empty reader. The client decides how long it is: read no more
	// than you need. It must not be used after the request has ended, and bytes to
	// be kept for longer must be copied.
	Body() io.Reader
}

// Authorizer answers whether a principal may do something. Implementations
// must be safe for concurrent use.
type Authorizer interface {
	// Authorize is never called with a nil principal. An error refuses the
	// request with 503, or 500 for an [InternalError], whatever the decision.
	Authorize(ctx context.Context, p *Principal, a Access) (Decision, error)
}

// An [Authorizer] may implement the optional interfaces below. They are also found
// through a wrapper's method Unwrap() Authorizer, except AnonymousAuthorizer: a
// wrapper that refuses principals has to refuse anonymous requests itself. A
// wrapper that hides an optional interface of an Authorizer in one of its fields is
// an error at assembly.

// AnonymousAuthorizer is an [Authorizer] that may let a request without credentials
// pass. An Authorizer that does not implement it never does.
type AnonymousAuthorizer interface {
	Authorizer
	// AuthorizeAnonymous decides on a request that carries no credentials. A
	// refusal is answered with 401, since signing in may help.
	AuthorizeAnonymous(ctx context.Context, a Access) (Decision, error)
}

// MethodAuthorizer is an [Authorizer] that decides itself on methods other than
// PATCH and those of RFC 9110 §9.3. For any other Authorizer a guard refuses such
// methods first.
type MethodAuthorizer interface {
	Authorizer
	// JudgesMethod reports whether the policy names method literally.
	JudgesMethod(method string) bool
}

// RoleSource adds the roles that a policy gives a principal to those in its
// credentials. An [Authorizer] that implements it is asked once per request, after
// gate one, so that rules and handlers see the same roles as the policy.
type RoleSource interface {
	// RolesOf returns the roles that p has in addition to its own, following role
	// links. The result is shared and must not be modified; nil means none.
	RolesOf(ctx context.Context, p *Principal) ([]string, error)
}

// RoleNamer is a rule that names roles, so that a role the policy does not
// know is reported at assembly.
type RoleNamer interface{ RoleNames() []string }

// RoleLister is an authorizer or role source that can list every role. An empty
// list means that it cannot tell.
type RoleLister interface{ KnownRoles() []string }

// Decision is an [Authorizer]'s answer. The zero Decision denies.
type Decision struct {
	Allowed bool
	// Reason is for operators ("no_rule_matched"); the client never sees it.
	Reason Reason
	// Rule says which rule decided, such as "policy.csv:12", for auditors; "" if
	// none did. The client never sees it.
	Rule string
	// Revision identifies the version of the policy that decided, for auditors; ""
	// if it has none.
	Revision string
	// Attributes holds the facts besides principal, action and resource that the
	// decision was based on, for events; it may be nil. The client never sees them.
	Attributes Attributes
	// Code and Message, if set, are shown to the refused client in place of the
	// generic ones. Set them only to disclose something on purpose.
	Code, Message string
	// Scopes lists all scopes that the request needs, if it was refused for lacking
	// one; the response then carries insufficient_scope (RFC 6750 §3.1).
	Scopes []string
	// StepUp, if set, says that the request needs the user to authenticate again as
	// it describes: the response is 401 with insufficient_user_authentication (RFC
	// 9470 §3), or 403 if no scheme of the guard can ask for that.
	StepUp *StepUp
}

// Attributes are the named facts about one request that a [Decision] was based on.
// They are immutable and safe for concurrent use.
type Attributes interface {
	// All yields the names and values in a fixed order, each name once.
	All() iter.Seq2[string, string]
}

// StepUp describes the authentication that a request needs (RFC 9470 §3).
type StepUp struct {
	// ACRValues lists the acceptable authentication context classes, preferred
	// first; nil means that any will do.
	ACRValues []string
	// MaxAge limits how long ago the user may have authenticated, in whole seconds;
	// zero means no limit.
	MaxAge time.Duration
}

// Responder turns a denial into a response. Implementations must be safe for
// concurrent use.
//
// The guard itself adds challenges, Cache-Control, Vary and Retry-After, so that no
// responder can forget them, and drops challenges that a responder sets. The status
// must be the denial's own, 404 to hide a 401 or 403, or 303 to send a 401 to a
// sign-in page; any other is replaced by the denial's own. If a responder panics,
// the default one answers and the panic is logged.
type Responder interface {
	Respond(r Request, d *Denial) Response
}

// ResponderFunc adapts a function to a [Responder].
type ResponderFunc func(r Request, d *Denial) Response

// Respond calls f.
func (f ResponderFunc) Respond(r Request, d *Denial) Response { return f(r, d) }

// Observer is told of every verdict. Observe is called on the request's
// goroutine, so a slow one delays the answer, but neither its time nor a panic
// in it changes a verdict. Implementations must be safe for concurrent use.
type Observer interface {
	Observe(ctx context.Context, e Event)
}

// RouteInfo is one route of an application.
type RouteInfo struct {
	Method string `json:"method"`
	// Pattern is the route as registered, in the framework's own spelling.
	Pattern string `json:"pattern"`
}
