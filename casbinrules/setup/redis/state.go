package redis

import (
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/source/redis/redisstate"
)

func init() {
	setup.RegisterAttemptStore("redis", openAttempts)
	setup.RegisterReplayStore("redis", openReplays)
	setup.RegisterCountStore("redis", openCounts)
	setup.RegisterRevocationLog("redis", openRevocations)
}

// stateSettings are the keys below redis for state that instances share.
type stateSettings struct {
	URL        setup.Secret  `key:"url" required:"true" doc:"URL of the server, such as rediss://app:…@cache.example:6379/0"`
	Service    string        `key:"service" default:"default" doc:"name of the service, in a server with several"`
	Timeout    time.Duration `key:"timeout" default:"250ms" doc:"how long connecting, and each answer, may take; attempts, and proofs and counts with a fallback, wait 250ms at most"`
	CA         setup.File    `key:"ca" doc:"PEM file of the authorities that may sign the server's certificate, instead of the system's; read once"`
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

func openAttempts(s *stateSettings) (attempts.Store, func() error, error) {
	state, err := openState(s)
	if err != nil {
		return nil, nil, err
	}
	return state.Attempts(), state.Close, nil
}

func openReplays(s *stateSettings) (dpop.ReplayStore, func() error, error) {
	state, err := openState(s)
	if err != nil {
		return nil, nil, err
	}
	return state.Replays(), state.Close, nil
}

func openCounts(s *stateSettings) (digest.CountStore, func() error, error) {
	state, err := openState(s)
	if err != nil {
		return nil, nil, err
	}
	return state.Counts(), state.Close, nil
}

func openRevocations(s *stateSettings) (revoke.Log, func() error, error) {
	state, err := openState(s)
	if err != nil {
		return nil, nil, err
	}
	return state.Revocations(), state.Close, nil
}
