package authtest

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/rule"
)

var assemblySemantics = []testCase{
	{"invariant 14 a guard that cannot work is an error", badGuards},
	{"invariant 14 an unknown role is reported", unknownRole},
}

// unnameable is a scheme whose name is not a token.
type unnameable struct{ Names }

func (unnameable) Scheme() core.Scheme { return byHeader("No Name") }

// badGuards: NewGuard names the mistake.
func badGuards(t *testing.T, _ Framework) {
	names := []core.Authenticator{Names{}}
	var noBearer *bearer.Authenticator
	var noPolicy *keeper
	for _, c := range []struct {
		says    string
		schemes []core.Authenticator
		opts    []core.Option
	}{
		{"no authenticator", nil, nil},
		{"authenticator 2: is nil", []core.Authenticator{Names{}, nil}, nil},
		{"authenticator 1: is nil", []core.Authenticator{noBearer}, nil},
		{"Name is given twice", []core.Authenticator{Names{}, Names{}}, nil},
		{"NAME is given twice", []core.Authenticator{Names{}, loud{}}, nil},
		{`"No Name"`, []core.Authenticator{unnameable{}}, nil},
		{"option 1 is nil", names, []core.Option{nil}},
		{"authorizer is nil", names, []core.Option{core.WithAuthorizer(nil)}},
		{"authorizer is nil", names, []core.Option{core.WithAuthorizer(noPolicy)}},
		{"authorizer is nil", names, []core.Option{core.WithAuthorizer(AuthorizerFunc(nil))}},
		{"two authorizers", names, []core.Option{core.WithAuthorizer(only()), core.WithAuthorizer(only())}},
		{"responder is nil", names, []core.Option{core.WithResponder(nil)}},
		{"observer is nil", names, []core.Option{core.WithObserver(nil)}},
		{"observer is nil", names, []core.Option{core.WithObserver(core.ObserverFunc(nil))}},
		{"role source is nil", names, []core.Option{core.WithRoles(nil)}},
		{"logger is nil", names, []core.Option{core.WithLogger(nil)}},
		{"at least 1s", names, []core.Option{core.WithRetryAfter(0)}},
	} {
		g, err := core.NewGuard(c.schemes, c.opts...)
		if err == nil || g != nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "guard: ") {
			t.Errorf("%s: guard %v, error %v", c.says, g != nil, err)
		}
	}
}

// loud is Names in upper case.
type loud struct{ Names }

func (loud) Scheme() core.Scheme { return byHeader("NAME") }

func (loud) Challenges(core.Request, error) []challenge.Challenge { return realm("NAME") }

// roleList is a role source that knows all roles.
type roleList []string

func (l roleList) RolesOf(context.Context, *core.Principal) ([]string, error) { return nil, nil }

func (l roleList) KnownRoles() []string { return l }

// unknownRole: a rule with a role that the policy does not have is logged as a warning, and
// in strict mode fails at start-up.
func unknownRole(t *testing.T, f Framework) {
	for _, strict := range []bool{false, true} {
		var log logBuffer
		opts := []core.Option{core.WithRoles(roleList{"admin", "editor"}), core.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))}
		if strict {
			opts = append(opts, core.WithWarningsAsErrors())
		}
		g, _ := guard(t, opts...)
		gate := func(r core.Authorizer) App {
			return App{Use: []Gate{{Kind: "Require", Guard: g, Rules: []core.Authorizer{r}}}}
		}
		for _, fine := range []core.Authorizer{rule.Role("admin", "editor"), rule.Claim("plan", "amdin"), only()} {
			if message := startPanic(t, f, gate(fine)); message != "" || log.String() != "" {
				t.Errorf("%v: panic %q, log %q", fine, message, log.String())
			}
		}
		for _, wrong := range []core.Authorizer{rule.Role("amdin"), rule.Any(rule.Claim("a", "b"), rule.All(rule.Role("editor"), rule.Role("amdin")))} {
			message := startPanic(t, f, gate(wrong))
			if strict != strings.Contains(message, "amdin") || strict == strings.Contains(log.String(), "amdin") {
				t.Errorf("strict %v: %v: panic %q, log %q", strict, wrong, message, log.String())
			}
		}
	}
}
