package authtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/rule"
)

var bodyCases = []testCase{
	{"invariant 6 no answer tells a cause, a role or a rule", genericBodies},
}

// secretive refuses with denials whose private parts contain the leak marker, depending on
// the credentials.
func secretive() core.Authorizer {
	marked := errors.New(leak)
	return AuthorizerFunc(func(p *core.Principal, _ core.Access) (core.Decision, error) {
		d := core.Decision{Reason: core.Reason(leak), Rule: leak + ".csv:12"}
		switch p.ID() {
		case "alice":
			d.Allowed = true
		case "storeless":
			return d, fmt.Errorf("policy store %s: %w", leak, marked)
		case "faulty":
			return d, &core.InternalError{Err: marked}
		case "breaker":
			panic(leak)
		case "scoped":
			d.Scopes = []string{"read"}
		}
		return d, nil
	})
}

// genericBodies checks that bodies are generic (RFC 9457 §5). Causes are passed to
// observers only.
func genericBodies(t *testing.T, f Framework) { revealNothing(t, f, nil) }

// revealNothing checks that denials reveal nothing private in the format of any of the
// responders; nil is the guard's own.
func revealNothing(t *testing.T, f Framework, responders ...core.Responder) {
	script := func(r core.Request) (*core.Principal, error) {
		kind, _ := r.Header("X-Kind")
		switch kind {
		case "bad":
			return nil, &core.CredentialError{Reason: core.Reason(leak), Err: errors.New(leak)}
		case "down":
			return nil, &core.UnavailableError{Err: errors.New(leak)}
		case "faulty":
			return nil, &core.InternalError{Err: errors.New(leak)}
		case "panic":
			panic(errors.New(leak))
		case "twice":
			return nil, fmt.Errorf("%w: %s", core.ErrAmbiguousCredentials, leak)
		}
		return core.NewPrincipal(core.PrincipalInfo{ID: kind, Roles: []string{leak}})
	}
	for _, responder := range responders {
		opts := []core.Option{core.WithAuthorizer(secretive())}
		if responder != nil {
			opts = append(opts, core.WithResponder(responder))
		}
		g, rec := guardOf(t, []core.Authenticator{&scripted{authenticate: script}, bearerOn(t, tokens{})}, opts...)
		required := rule.All(rule.Role(leak+"-admin"), rule.Claim(leak, leak))
		d := newDoor(t, f, Gate{Kind: "Authorize", Guard: g}, Gate{Kind: "Require", Guard: g, Rules: []core.Authorizer{required}})
		for kind, status := range map[string]int{
			"bad": 401, "down": 503, "faulty": 500, "panic": 500, "twice": 400,
			"bob": 403, "scoped": 403, "storeless": 503, "breaker": 500, "alice": 403,
		} {
			a := d.get("X-Kind: " + kind)
			all := fmt.Sprint(a.Header) + a.Body
			if a.Status != status || strings.Contains(all, leak) || strings.Contains(all, "goroutine") || strings.Contains(all, ".go:") {
				t.Errorf("%s: %d %s", kind, a.Status, all)
			}
			if e := rec.Last(t); !strings.Contains(fmt.Sprint(e.Reason, e.Rule, e.Cause), leak) {
				t.Errorf("%s: the event does not say why: %s %s %v", kind, e.Reason, e.Rule, e.Cause)
			}
		}
	}
}
