package postgres

import (
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgresstate"
)

func init() {
	setup.RegisterSessionStore("postgres", openSessions)
	setup.RegisterRevocationLog("postgres", openRevocations)
}

// stateSettings are the keys below postgres for state that instances share.
type stateSettings struct {
	URL            setup.Secret  `key:"url" required:"true" doc:"connection string, such as postgres://app:…@db.example/app?sslmode=verify-full"`
	Service        string        `key:"service" default:"default" doc:"name of the service, in a database with several"`
	Timeout        time.Duration `key:"timeout" default:"2s" doc:"how long one statement may take"`
	MaxConnections int           `key:"max_connections" default:"10" doc:"how many connections there may be, besides one that listens"`
	Unverified     bool          `key:"unverified_server" doc:"connect to another machine without verifying that it is the right one"`
}

// openState returns a state that connects on first use.
func openState(s *stateSettings) (*postgresstate.State, error) {
	opts := []postgresstate.Option{postgresstate.WithName(s.Service), postgresstate.WithTimeout(s.Timeout), postgresstate.WithMaxConnections(s.MaxConnections)}
	if s.Unverified {
		opts = append(opts, postgresstate.WithUnverifiedServer())
	}
	return postgresstate.New(s.URL.Reveal(), opts...)
}

func openSessions(s *stateSettings) (session.Store, func() error, error) {
	state, err := openState(s)
	if err != nil {
		return nil, nil, err
	}
	return state.Sessions(), state.Close, nil
}

func openRevocations(s *stateSettings) (revoke.Log, func() error, error) {
	state, err := openState(s)
	if err != nil {
		return nil, nil, err
	}
	return state.Revocations(), state.Close, nil
}
