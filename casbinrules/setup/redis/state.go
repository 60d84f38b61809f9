package redis

import (
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/source/redis/redisstate"
)

func init() {
	setup.RegisterSessionStore("redis", opener(func(s *redisstate.State) session.Store { return s.Sessions() }))
	setup.RegisterAttemptStore("redis", opener((*redisstate.State).Attempts))
	setup.RegisterReplayStore("redis", opener((*redisstate.State).Replays))
	setup.RegisterCountStore("redis", opener((*redisstate.State).Counts))
	setup.RegisterRevocationLog("redis", opener((*redisstate.State).Revocations))
}

// stateSettings are the keys below redis for state that instances share.
type stateSettings struct {
	URL        setup.Secret  `key:"url" required:"true" doc:"URL of the server, such as rediss://app:…@cache.example:6379/0"`
	Service    string        `key:"service" default:"default" doc:"name of the service, in a server with several"`
	Timeout    time.Duration `key:"timeout" default:"250ms" doc:"how long connecting, and each answer, may take; attempts, and proofs and counts with a fallback, wait 250ms at most"`
	CA         setup.File    `key:"ca" once:"true" doc:"PEM file of the authorities that may sign the server's certificate, instead of the system's; read once"`
	Unverified bool          `key:"unverified_server" doc:"connect to another machine without verifying that it is the right one"`
}

// openState returns a state that connects on first use.
func openState(s *stateSettings) (*redisstate.State, error) {
	opts := []redisstate.Option{redisstate.WithName(s.Service), redisstate.WithTimeout(s.Timeout)}
	pool, err := authorities(s.CA)
	if err != nil {
		return nil, err
	}
	if pool != nil {
		opts = append(opts, redisstate.WithRootCAs(pool))
	}
	if s.Unverified {
		opts = append(opts, redisstate.WithUnverifiedServer())
	}
	return redisstate.New(s.URL.Reveal(), opts...)
}

// opener returns a function that opens a state and takes one of its stores.
func opener[S any](store func(*redisstate.State) S) func(*stateSettings) (S, func() error, error) {
	return func(s *stateSettings) (S, func() error, error) {
		state, err := openState(s)
		if err != nil {
			var none S
			return none, nil, err
		}
		return store(state), state.Close, nil
	}
}
