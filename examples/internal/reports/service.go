package reports

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/htpasswd"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/rule"
	"github.com/sallyport-go/sallyport/examples/internal/accounts"
	"github.com/sallyport-go/sallyport/examples/policy"
)

// Service is what a server mounts.
type Service struct {
	// Guard accepts Bearer tokens and Basic passwords, and authorizes by the
	// policy file.
	Guard *core.Guard
	// ActiveAccount is the rule that refuses suspended accounts.
	ActiveAccount core.Authorizer

	policy *casbinrules.Authorizer
}

func newService(c config, tokens tokens, log *slog.Logger) (*Service, error) {
	byToken, err := newBearer(c, tokens)
	if err != nil {
		return nil, err
	}
	byPassword, err := newBasic(c)
	if err != nil {
		return nil, err
	}
	rules, err := openPolicy(c.policyDir, log)
	if err != nil {
		return nil, err
	}
	guard, err := core.NewGuard([]core.Authenticator{byToken, byPassword},
		core.WithAuthorizer(rules), core.WithObserver(core.LogObserver(log)), core.WithLogger(log))
	if err != nil {
		return nil, err
	}
	lookup := rule.AccountLookup(accounts.BuiltIn)
	if c.accountsURL != "" {
		if lookup, err = accounts.Service(c.accountsURL); err != nil {
			return nil, err
		}
	}
	return &Service{Guard: guard, ActiveAccount: rule.Account(lookup), policy: rules}, nil
}

// newBearer reads the claims sub, roles and scope, and keeps all others, such
// as plan and region, for rules.
func newBearer(c config, t tokens) (core.Authenticator, error) {
	verifier, err := jwtauth.New(t.keys, jwtauth.Issuer(t.issuer), jwtauth.Audience(t.audience))
	if err != nil {
		return nil, err
	}
	return bearer.New(c.realm, verifier)
}

func newBasic(c config) (core.Authenticator, error) {
	users, err := openUsers(c.usersFile)
	if err != nil {
		return nil, err
	}
	return basic.New(c.realm, withPlans(users))
}

func openUsers(file string) (*htpasswd.File, error) {
	// An example takes the cost htpasswd gives by default, and any other. Keep
	// the package's own limit in production.
	anyCost := htpasswd.MinCost(4)
	if file != "" {
		return htpasswd.Open(file, anyCost)
	}
	f, err := policy.Files.Open(policy.Users)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	return htpasswd.Parse(policy.Users, f, anyCost)
}

// openPolicy opens the policy that is built in, or the one in dir, whose edits
// then take effect while the server runs.
func openPolicy(dir string, log *slog.Logger) (*casbinrules.Authorizer, error) {
	if dir == "" {
		return casbinrules.OpenFS(policy.Files, casbinrules.ModelFile(policy.Model), []string{policy.Rules}, casbinrules.WithLogger(log))
	}
	return casbinrules.Open(
		casbinrules.ModelFile(filepath.Join(dir, policy.Model)),
		[]string{filepath.Join(dir, policy.Rules)},
		casbinrules.Watch(), casbinrules.WithLogger(log))
}

// withPlans adds to a user who has signed in by password what a token would
// have brought as a claim. A password file knows of no plans, and pam's is the
// same however she signs in.
func withPlans(v basic.Verifier) basic.Verifier {
	return basic.VerifierFunc(func(ctx context.Context, user, password string) (*core.Principal, error) {
		p, err := v.VerifyPassword(ctx, user, password)
		if err != nil {
			return nil, err
		}
		plan, ok := plans[p.ID()]
		if !ok {
			return p, nil
		}
		p, err = core.NewPrincipal(core.PrincipalInfo{ID: p.ID(), Claims: map[string]any{"plan": plan}})
		if err != nil {
			return nil, fmt.Errorf("add the plan of %s: %w", user, err)
		}
		return p, nil
	})
}
