package reports

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/rule"
	"github.com/sallyport-go/sallyport/examples/internal/accounts"
	"github.com/sallyport-go/sallyport/examples/policy"
)

// Service is what a server mounts.
type Service struct {
	// Guard accepts Bearer tokens, Digest and Basic passwords and API keys,
	// as far as the flags say, and authorizes by the policy file.
	Guard *core.Guard
	// ActiveAccount is the rule that refuses suspended accounts.
	ActiveAccount core.Authorizer
	// ProPlan is the rule that refuses who has not paid for it.
	ProPlan core.Authorizer

	tokens *tokens
	files  *files
}

func newService(c config, log *slog.Logger) (*Service, error) {
	s := &Service{files: &files{log: log}, ProPlan: rule.Any(rule.Claim("plan", "pro"), rule.Func("subscriber", subscribed))}
	if err := s.assemble(c, log); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Service) assemble(c config, log *slog.Logger) (err error) {
	if s.files.policy, err = openPolicy(c.policyDir, log); err != nil {
		return err
	}
	if s.tokens, err = newTokens(c, s.files); err != nil {
		return err
	}
	schemes, err := newSchemes(c, s.tokens, s.files)
	if err != nil {
		return err
	}
	opts := []core.Option{
		core.WithAuthorizer(s.files.policy), core.WithObserver(core.LogObserver(log)), core.WithLogger(log), core.WithoutPrompts(),
	}
	if c.limit > 0 {
		limiter, err := attempts.New(attempts.PerAddress(10, time.Minute, c.limit))
		if err != nil {
			return err
		}
		opts = append(opts, core.WithAttemptLimiter(limiter))
	}
	if s.Guard, err = core.NewGuard(schemes, opts...); err != nil {
		return err
	}
	lookup := rule.AccountLookup(accounts.BuiltIn)
	if c.accountsURL != "" {
		if lookup, err = accounts.Service(c.accountsURL); err != nil {
			return err
		}
	}
	s.ActiveAccount = rule.Account(lookup)
	return nil
}

// Close ends what runs in the background.
func (s *Service) Close() error {
	if s.tokens != nil {
		s.tokens.close()
	}
	return s.files.close()
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

// plans are the plans of the demo users who have one.
var plans = map[string]string{"pam": "pro"}

// subscribed allows those who are known to be on the pro plan, for credentials
// that do not say so: a password file knows of no plans, and pam's is the same
// however she signs in.
func subscribed(_ context.Context, p *core.Principal, _ core.Access) (bool, error) {
	return plans[p.ID()] == "pro", nil
}
