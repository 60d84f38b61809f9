// Package postgres adds stores in PostgreSQL to package setup: the one of
// core/source/postgres for policies, and those of its postgresstate for sessions and
// revocations. Import it only for that:
//
//	import _ "github.com/sallyport-go/sallyport/casbinrules/setup/postgres"
//
// A configuration file then has the kind postgres below policy.store:
//
//	policy:
//	  model: model.conf
//	  store: {postgres: {url: "${POLICY_DATABASE}"}}
//
// and below session.store and revocations.store.
package postgres

import (
	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/postgres"
)

func init() { setup.RegisterPolicyStore("postgres", open) }

// settings are the keys below postgres.
type settings struct {
	URL        setup.Secret `key:"url" required:"true" doc:"connection string, such as postgres://reader:…@db.example/app?sslmode=verify-full"`
	Set        string       `key:"set" default:"default" doc:"name of the set of files, in a database with several"`
	Unverified bool         `key:"unverified_server" doc:"connect to another machine without verifying that it is the right one"`
}

// open returns a source that connects on first use.
func open(s *settings) (source.Source, func() error, error) {
	opts := []postgres.Option{postgres.WithName(s.Set)}
	if s.Unverified {
		opts = append(opts, postgres.WithUnverifiedServer())
	}
	store, err := postgres.New(s.URL.Reveal(), opts...)
	if err != nil {
		return nil, nil, err
	}
	return store, store.Close, nil
}
