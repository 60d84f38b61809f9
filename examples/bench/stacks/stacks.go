// Package stacks are small web apps with one guarded route: with our gates and
// with the middleware that people use in their place, on each framework. All do
// the same work: verify an HS256 token and ask a policy of 1,000 rules.
package stacks

import (
	"context"
	"net"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/examples/bench/engines"
	"github.com/sallyport-go/sallyport/examples/bench/policies"
)

// Names of guards that are in every framework.
const (
	Bare      = "bare"
	Sallyport = engines.Sallyport
)

// rules is the size of the policy; ruleAsked is the number of the rule that
// allows the request, in the middle of it.
const (
	rules     = 1000
	ruleAsked = 497
)

// The route that is guarded, which is the pattern of the rule, and the request.
const (
	route = "/things497/:id"
	path  = "/things497/4711"
)

// Stack is an app of one framework, with one guard.
type Stack struct {
	Framework, Guard string
	// Missing is the status for a request without credentials, which should
	// be 401.
	Missing int
	open    func(*World) (Caller, error)
}

// Caller sends requests to an app without a network, or lets others send them. It
// is for one goroutine.
type Caller interface {
	// Call sends the request with an Authorization field, none for "", and
	// returns the status of the answer.
	Call(authorization string) int
	// Serve answers whoever connects, until l fails.
	Serve(l net.Listener) error
}

// Open makes the app.
func (s Stack) Open(w *World) (Caller, error) { return s.open(w) }

// All are the stacks; for each framework the bare app first. Echo v5 and Fiber v3
// have no stack of others beside ours.
func All() []Stack {
	return []Stack{
		{"gin", Bare, 200, bareGin},
		{"gin", Sallyport, 401, ourGin},
		{"gin", "gin-jwt+casbin", 401, ginJWT},
		{"echo", Bare, 200, bareEcho},
		{"echo", Sallyport, 401, ourEcho},
		{"echo", "echo-jwt+echo-contrib-casbin", 401, echoJWT},
		{"echo5", Bare, 200, bareEcho5},
		{"echo5", Sallyport, 401, ourEcho5},
		{"fiber", Bare, 200, bareFiber},
		{"fiber", Sallyport, 401, ourFiber},
		{"fiber", "contrib-jwt+casbin", 400, fiberJWT},
		{"fiber3", Bare, 200, bareFiber3},
		{"fiber3", Sallyport, 401, ourFiber3},
		{"nethttp", Bare, 200, bareMux},
		{"nethttp", Sallyport, 401, ourMux},
		{"nethttp", "auth0+casbin", 400, auth0},
		{"chi", Bare, 200, bareChi},
		{"chi", Sallyport, 401, ourChi},
		{"chi", "jwtauth+casbin", 401, chiJWT},
	}
}

// Authenticating are the stacks of others without a policy, whose middleware looks
// at the token alone. An app of theirs does less than ours.
func Authenticating() []Stack {
	return []Stack{
		{"gin", "gin-jwt", 401, ginJWTAlone},
		{"echo", "echo-jwt", 401, echoJWTAlone},
		{"fiber", "contrib-jwt", 400, fiberJWTAlone},
		{"nethttp", "auth0", 400, auth0Alone},
		{"chi", "jwtauth", 401, chiJWTAlone},
	}
}

// World is what all apps share: the policy and the issuer of tokens.
type World struct {
	// Observer is that of our guard: nil for one that counts, which is as much as
	// the others log.
	Observer core.Observer
	// Folder is where the policy of our guard is watched in files; "" if it is in
	// memory. Reloaded is told of each time that they are read again.
	Folder   string
	Reloaded func(context.Context, casbinrules.ReloadEvent)
	// Edit has one rule of those files changed. It is nil before a guard is made.
	Edit func() error

	source *engines.Source
	secret []byte
	// allowed and refused are the users of the two kinds of tokens.
	allowed, refused string
	// keysDown has every stack that can ask for keys ask in vain.
	keysDown bool
}

// NewWorld makes a policy of 1,000 rules.
func NewWorld() *World { return NewWorldOf(rules) }

// NewWorldOf makes a policy of n rules, of at least 1,000. What is asked of it is the
// same for all.
func NewWorldOf(n int) *World {
	p := policies.Mix(n)
	holder := policies.Holder(ruleAsked)
	return &World{
		source:  engines.NewSource(p),
		secret:  []byte("a secret of more than thirty-two bytes"),
		allowed: holder,
		refused: policies.Holder(ruleAsked / 2),
	}
}

// Request is the request of [Caller] as it is sent over a connection.
func Request(authorization string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: example.com\r\nAuthorization: " + authorization + "\r\n\r\n")
}
