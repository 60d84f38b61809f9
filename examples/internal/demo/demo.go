// Package demo is what the example servers bring along so that they run at once:
// flags, the demo's keys, users and accounts, the lines they print, and how a
// server starts and stops. Guard, schemes and routes are in the servers.
package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/introspect"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/rule"
	"github.com/sallyport-go/sallyport/core/watch"
	"github.com/sallyport-go/sallyport/examples/internal/accounts"
	"github.com/sallyport-go/sallyport/examples/shared/issuer"
)

// Demo is what a server is made of.
type Demo struct {
	// Flags is what the command line says. Issuer and Audience have values.
	Flags
	// Keys are those that tokens are signed with: of the issuer that the flags
	// name, or of one that the demo brings along.
	Keys jwtauth.KeySource
	// Client is the client of the endpoint that Introspect names.
	Client introspect.Client
	// Accounts knows the state of accounts.
	Accounts rule.AccountLookup
	Log      *slog.Logger

	own      *issuer.Issuer      // nil with the keys of another one
	fetched  *jwtauth.RemoteKeys // nil with keys that are not fetched
	policy   *casbinrules.Authorizer
	watchers []*watch.Watcher
}

func newDemo(f Flags, log *slog.Logger) (*Demo, error) {
	d := &Demo{Flags: f, Accounts: accounts.BuiltIn, Log: log}
	if err := d.prepare(); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

func (d *Demo) prepare() (err error) {
	if d.Keys, err = d.keys(); err != nil {
		return err
	}
	if d.Introspect != "" {
		text, err := os.ReadFile(d.introspectSecret)
		if err != nil {
			return fmt.Errorf("secret of the introspection client: %w", err)
		}
		secret, _, _ := strings.Cut(string(text), "\n")
		d.Client = introspect.Secret(d.introspectID, strings.TrimSuffix(secret, "\r"))
	}
	if d.accountsURL != "" {
		d.Accounts, err = accounts.Service(d.accountsURL)
	}
	return err
}

// keys are those of the issuer that -jwks names. Without it, they are those of
// an issuer of the demo's own.
func (d *Demo) keys() (jwtauth.KeySource, error) {
	switch {
	case isURL(d.jwks):
		var err error
		d.fetched, err = fetchKeys(d.jwks, d.Log)
		return d.fetched, err
	case d.jwks != "":
		keys := jwtauth.NewKeyFile(jwtauth.WithRSAAlgorithm(rsaAlgorithm))
		return keys, d.load(d.jwks, keys)
	}
	d.Issuer, d.Audience = cmp.Or(d.Issuer, "https://issuer.example"), cmp.Or(d.Audience, "reports")
	var err error
	if d.own, err = issuer.New(d.Issuer, d.Audience); err != nil {
		return nil, err
	}
	set, err := d.own.KeySet()
	if err != nil {
		return nil, err
	}
	return jwtauth.KeySetFromJWKS("own key", set)
}

// plans are the plans of the demo users who have one.
var plans = map[string]string{"pam": "pro"}

// Subscribed allows those who are known to be on the pro plan, for credentials
// that do not say so: a password file knows of no plans, and pam's is the same
// however she signs in.
func Subscribed(_ context.Context, p *core.Principal, _ core.Access) (bool, error) {
	return plans[p.ID()] == "pro", nil
}
