package core

import (
	"context"
	"crypto/tls"
	"io"
	"iter"
	"time"

	"github.com/sallyport-go/sallyport/core/challenge"
)

// Request is what the gates may ask of a request, whatever the framework.
//
// Every string it gives out is safe to keep after the request has ended; an
// adapter for a framework that reuses its buffers copies. The Request itself
// must not be kept. Implementations need not be safe for concurrent use.
type Request interface {
	// Method is the request method exactly as received; methods are
	// case-sensitive (RFC 9110 §9.1).
	Method() string
	// Target is the request target exactly as received, query included.
	Target() string
	// Host is the host the request names, from Host or the absolute target.
	// It comes from the client and proves nothing.
	Host() string
	// Route is what the framework's router matched. It returns
	// [ErrAmbiguousPath] when router and request disagree.
	Route() (Route, error)
	// Param is the path parameter called name, decoded once, or "".
	Param(name string) string
	// Header is the first value of the header field called name and the
	// number of field lines the request has for it (RFC 9110 §5.3).
	Header(name string) (value string, count int)
	// Cookie is the first cookie called name and how many there are.
	Cookie(name string) (value string, count int)
	// Query is the first query parameter called name, decoded, and how many
	// there are.
	Query(name string) (value string, count int)
	// TLS is the connection's TLS state, or nil for a plain connection.
	TLS() *tls.ConnectionState
	// RemoteAddr is the peer's address as "host:port". Behind a proxy it is
	// the proxy's.
	RemoteAddr() string
}

// Route is what a router matched.
type Route struct {
	// Pattern is the route as the application registered it, in the
	// framework's own spelling ("/reports/:id"); "" when no route matched.
	Pattern string
	// Path is the request path, without query, in the letter case the router
	// gives its literal parts.
	Path string
	// Escaped says that Path still holds its percent-encoding.
	Escaped bool
	// Folded is how many bytes of Path, from its start, the router has in lower
	// case whatever the application registered; 0 for none. A rule may be written
	// as the application is, so what is denied in other letters is denied.
	Folded int
	// Alternatives are the other ways to read the request where the router
	// cannot say in advance which handler will answer: one that comes first may
	// answer or pass the request on. A gate lets the request pass only if the
	// rules allow each of them as well. Their own Alternatives are not looked at.
	Alternatives []Route
	// InnerSlashes is how many encoded slashes of an escaped Path the router
	// has matched inside parameters of one segment each. It is looked at by
	// guards with [WithEncodedSlashes] alone.
	InnerSlashes int
}

// Resource is what a request wants to act on.
type Resource struct {
	// Route is the matched pattern; "" when no route matched.
	Route string
	// Path is the canonical path: decoded once, no trailing slash, literal
	// parts in the letter case of the route. An encoded slash that
	// [WithEncodedSlashes] lets through stands in it as "%2F".
	Path string
	// Folded is how many bytes of Path, from its start, may have been registered in
	// other letters, which the router does not keep; 0 for none. An [Authorizer]
	// that compares Path with texts must refuse what they deny in any letter case
	// of that part. For one that compares Route, any Folded but 0 says it of all
	// of Route.
	Folded int
	// Name is the name given where the gate was mounted ([WithResourceName]), or "".
	Name string
}

// Access is one question to an [Authorizer].
type Access struct {
	// Action is the request method, or the name given with [WithAction].
	Action   string
	Resource Resource
	// Request is the request itself, for rules that look at more than path
	// and method. It must not be kept.
	Request Request
}

// Authenticator turns one kind of credentials into a [Principal].
// Implementations must be safe for concurrent use.
type Authenticator interface {
	// Scheme says what a guard has to know of the scheme before any request. It
	// is called while a guard is assembled and never at a request.
	Scheme() Scheme

	// Authenticate returns the principal the credentials prove.
	//
	// It returns [ErrNoCredentials] when the request carries none of its
	// kind, a [CredentialError] when they prove nobody (401), an error that
	// is [ErrAmbiguousCredentials] when they can be read two ways (400), and
	// an [InternalError] for a fault of the program (500). Any other error
	// means that the answer could not be found out, and is 503: a key server
	// that is down logs nobody out.
	Authenticate(ctx context.Context, r Request) (*Principal, error)

	// Challenges says how to authenticate, one challenge per header line
	// (RFC 9110 §11.6.1). err is what this authenticator's Authenticate
	// returned, [ErrNoCredentials] when another one failed, a [ScopeError] or
	// a [StepUpError]. For [ErrNoCredentials] and a [CredentialError] it must
	// return at least one; for others it may return none, and only those
	// whose error parameter is the denial's own code are sent. The result
	// must not be modified.
	Challenges(r Request, err error) []challenge.Challenge
}

// Scheme is what every [Authenticator] says about itself. What protects a scheme
// is in it, so that a struct that embeds an Authenticator keeps all of it.
//
// An Authenticator that wraps another one may change what its Scheme says, but
// not so that less is protected than the wrapped one asks for: that is an error
// when a guard is assembled. Wrapped ones are found through a method
// Unwrap() Authenticator and in the fields of the wrapper.
type Scheme struct {
	// Name is the scheme's name as a challenge spells it, such as "Bearer". A
	// guard accepts each name once, in any letter case.
	Name string

	// Sender says who puts the credentials into a request. It must be set.
	Sender Sender

	// Vary lists the request header fields the scheme reads, so that caches
	// keep answers apart (RFC 9110 §12.5.5); nil for none, as of a scheme that
	// looks at the connection.
	Vary []string

	// Attempt reports whether a request carries credentials of the scheme that
	// can be guessed, and the account they claim to be for, "" where they name
	// none. Nothing in it is verified. It must be cheap beside Authenticate,
	// and safe for concurrent use. An [AttemptLimiter] counts those that fail.
	// It must be set: to [Unguessable] where guessing is hopeless, as it is for
	// random session IDs of 128 bits.
	Attempt func(r Request) (account string, ok bool)

	// Inform returns more header fields for the answer to r than challenges,
	// such as a DPoP-Nonce or a Set-Cookie line; nil where there never are any.
	// r passed as p when err is nil, and else was refused or judged by another
	// scheme; err is as in [Authenticator.Challenges]. It must be safe for
	// concurrent use, and its result must not be modified.
	Inform func(r Request, p *Principal, err error) []Field
}

// Sender says who puts credentials into a request. The zero Sender is invalid.
type Sender uint8

const (
	// SentByClient: the program that makes the request adds the credentials on
	// purpose, as a script does with a token. A page of another site cannot.
	SentByClient Sender = iota + 1
	// SentByBrowser: a browser may add the credentials by itself, whichever
	// page caused the request: cookies, client certificates, the passwords of
	// Basic and Digest. A guard refuses them on unsafe methods and WebSocket
	// upgrades from another site with 403; see [WithTrustedOrigins].
	SentByBrowser
)

// Unguessable is the [Scheme.Attempt] of schemes whose credentials cannot be
// guessed.
func Unguessable(Request) (account string, ok bool) { return "", false }

// AttemptLimiter bounds guessing. Implementations must be safe for concurrent
// use and bounded in memory.
//
// An attempt is reserved by Allow and settled by Report, so that attempts which
// run at the same time are no more than the limiter lets fail. Both are one
// atomic step on a counter of the address and one of the account, which a store
// that processes share can do as well.
type AttemptLimiter interface {
	// Allow is asked before credentials that can be guessed ([Scheme.Attempt])
	// are looked at, and reserves an attempt. A [LimitError] refuses them
	// unseen, right or wrong, with 429; any other error is 503. With
	// [LimitError.Pending] a guard asks again, for some seconds.
	Allow(ctx context.Context, r Request, account string) error
	// Report is called once after each Allow that returned nil, and tells how
	// the attempt ended: nil for success, or what Authenticate returned. Which
	// errors count is the limiter's business: an outage or an expired token is
	// no guess, and gives the reservation back as a success does. A reservation
	// that is never reported, since the process has died, must expire.
	// It must be settled even if ctx is cancelled meanwhile.
	Report(ctx context.Context, r Request, account string, err error)
}

// Endpoint answers a request by itself, such as a metadata document. Adapters
// mount one with their function Serve. It must be safe for concurrent use; the
// body is left out of the answer to a HEAD request.
type Endpoint func(ctx context.Context, r Request) Response

// BodyReader is a [Request] whose body an [Endpoint] can read. The requests of all
// adapters are; no gate ever asks for it.
type BodyReader interface {
	Request
	// Body is what has not been read of the body, without any content coding
	// removed, and an empty reader for none. It is as long as the client makes
	// it: read no more than you need. It must not be kept, and what is read must
	// be copied, after the request has ended.
	Body() io.Reader
}

// Authorizer answers whether a principal may do something. Implementations
// must be safe for concurrent use.
type Authorizer interface {
	// Authorize is never called with a nil principal. An error refuses the
	// request with 503, or 500 for an [InternalError], whatever the decision.
	Authorize(ctx context.Context, p *Principal, a Access) (Decision, error)
}

// What an [Authorizer] can do beside Authorize, it shows by the interfaces
// below. They are found through a method Unwrap() Authorizer of a wrapper too,
// save AnonymousAuthorizer: what a wrapper refuses to principals it has to
// refuse by itself to those who sent nothing. A wrapper that hides what an
// Authorizer in one of its fields can do is an error at assembly.

// AnonymousAuthorizer is an [Authorizer] that may let a request without
// credentials pass. One that does not implement it never does.
type AnonymousAuthorizer interface {
	Authorizer
	// AuthorizeAnonymous decides for a request that carries no credentials.
	// A refusal is answered with 401, since signing in may help.
	AuthorizeAnonymous(ctx context.Context, a Access) (Decision, error)
}

// MethodAuthorizer is an [Authorizer] that judges methods outside RFC 9110
// §9.3 and PATCH itself. For all others a guard refuses such methods first.
type MethodAuthorizer interface {
	Authorizer
	// JudgesMethod reports whether method is one the policy names literally.
	JudgesMethod(method string) bool
}

// RoleSource adds the roles that a policy gives a principal to those its
// credentials brought. An [Authorizer] that implements it is asked once a
// request, after gate one, so that rules and handlers see the same roles as
// the policy.
type RoleSource interface {
	// RolesOf returns the roles p has beyond its own, following role links.
	// The result is shared and must not be modified; nil means none.
	RolesOf(ctx context.Context, p *Principal) ([]string, error)
}

// RoleNamer is a rule that names roles, so that a role the policy does not
// know is reported at assembly.
type RoleNamer interface{ RoleNames() []string }

// RoleLister is an authorizer or role source that knows all roles there are.
// An empty list means that it does not know.
type RoleLister interface{ KnownRoles() []string }

// Decision is an [Authorizer]'s answer. The zero Decision denies.
type Decision struct {
	Allowed bool
	// Reason is for operators ("no_rule_matched"); the client never sees it.
	Reason Reason
	// Rule says which rule decided, such as "policy.csv:12", for auditors;
	// "" when none did. The client never sees it.
	Rule string
	// Revision names the state of the policy that decided, for auditors; "" where
	// it has none.
	Revision string
	// Attributes are the facts beside principal, action and resource that the
	// decision was made with, for events; nil for none. The client never sees them.
	Attributes Attributes
	// Code and Message, when set, are shown to the refused client in place
	// of the generic ones. Set them only to say something on purpose.
	Code, Message string
	// Scopes names all the scopes the request needs when lacking one of them
	// is why it was refused; the answer then carries insufficient_scope
	// (RFC 6750 §3.1).
	Scopes []string
	// StepUp says that authenticating again, in the way it describes, is what
	// the refused request needs: the answer is 401 with
	// insufficient_user_authentication (RFC 9470 §3), or 403 where no scheme of
	// the guard can ask for that.
	StepUp *StepUp
}

// Attributes are named facts of one request that a [Decision] was made with. They
// do not change, and are safe for concurrent use.
type Attributes interface {
	// All are the names and values, in a fixed order. No name comes twice.
	All() iter.Seq2[string, string]
}

// StepUp is the authentication that a request needs (RFC 9470 §3).
type StepUp struct {
	// ACRValues are the authentication context classes of which one is
	// needed, the preferred one first; nil when any will do.
	ACRValues []string
	// MaxAge is how long ago the principal may have proved itself, in whole
	// seconds; zero means at any time.
	MaxAge time.Duration
}

// Responder turns a denial into a response. Implementations must be safe for
// concurrent use.
//
// The guard adds challenges, Cache-Control, Vary and Retry-After itself, so
// that no responder can forget them, and drops challenges a responder sets.
// Status is the denial's own, or 404 to hide a 401 or 403, or 303 to lead a 401
// to a sign-in page; any other is replaced by the denial's own. When a
// responder panics the default one answers, and the panic is logged.
type Responder interface {
	Respond(r Request, d *Denial) Response
}

// ResponderFunc is a function that responds.
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
