// Package webapp is a small site for browsers: a start page for everybody, a
// sign-in page, and behind it a page with a script that calls an API. It knows
// no web framework: whatever answers a request is a [core.Endpoint], which each
// adapter mounts with its function Serve.
package webapp

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/htpasswd"
	"github.com/sallyport-go/sallyport/core/respond"
	"github.com/sallyport-go/sallyport/core/session"
)

// signInPath is where people sign in, and those who are signed in take another
// account.
const signInPath = "/login"

// Config is what a site is made of.
type Config struct {
	// Files has the folders policy, static and templates.
	Files fs.FS
	Log   *slog.Logger
	// Session and Guard are options beside the site's own.
	Session []session.Option
	Guard   []core.Option
}

// Site is what a server mounts. It is safe for concurrent use.
type Site struct {
	// Guard lets people with a session pass, and authorizes by the policy file.
	// Its refusals are pages for those who open a page, a redirect to the
	// sign-in page among them, and problem details for scripts.
	Guard *core.Guard
	// Sessions has the endpoint that signs out.
	Sessions *session.Manager

	log       *slog.Logger
	policy    *casbinrules.Authorizer
	passwords basic.Verifier
	pages     *pages
	assets    *assets
	reports   *reports
}

// New makes a site. What its files lack is an error here.
func New(c Config) (*Site, error) {
	s := &Site{log: c.Log, reports: newReports()}
	if err := s.open(c.Files); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.assemble(c); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends what the policy runs in the background.
func (s *Site) Close() error {
	if s.policy == nil {
		return nil
	}
	return s.policy.Close()
}

// open reads the site's files.
func (s *Site) open(files fs.FS) (err error) {
	s.policy, err = casbinrules.OpenFS(files, casbinrules.ModelFile("policy/model.conf"), []string{"policy/policy.csv"}, casbinrules.WithLogger(s.log))
	if err != nil {
		return err
	}
	users, err := files.Open("policy/users.htpasswd")
	if err != nil {
		return err
	}
	defer func() { _ = users.Close() }() // it was only read
	if s.passwords, err = htpasswd.Parse("policy/users.htpasswd", users); err != nil {
		return err
	}
	if s.assets, err = newAssets(files, "static"); err != nil {
		return err
	}
	s.pages, err = newPages(files, "templates", s.assets.path)
	return err
}

// assemble makes the parts that decide.
func (s *Site) assemble(c Config) (err error) {
	answers, err := respond.New(
		respond.WithSignInRedirect(signInPath),
		respond.WithSwitchAccount(signInPath),
		respond.WithContact("the office", "mailto:office@example.com"))
	if err != nil {
		return err
	}
	shared := append([]core.Option{
		core.WithResponder(answers), core.WithObserver(core.LogObserver(s.log)), core.WithLogger(s.log),
	}, c.Guard...)
	guesses, err := attempts.New(attempts.WithAddressBudget(30, time.Minute, 30), attempts.WithAccountBudget(10, time.Hour, 10))
	if err != nil {
		return fmt.Errorf("limit of guesses: %w", err)
	}
	s.Sessions, err = session.New(append([]session.Option{
		session.WithRealm("reports"),
		session.WithSignInPage(signInPath),
		session.WithLogoutRedirect("/"),
		session.WithAnswers(slices.Concat(shared, []core.Option{core.WithAttemptLimiter(guesses)})...),
		// This example runs on loopback addresses, without TLS. A site that is
		// deployed leaves this line out.
		session.WithPlainHTTPForDevelopment(),
	}, c.Session...)...)
	if err != nil {
		return err
	}
	s.Guard, err = core.NewGuard([]core.Authenticator{s.Sessions}, append(shared, core.WithAuthorizer(s.policy))...)
	return err
}
