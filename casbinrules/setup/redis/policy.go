package redis

import (
	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/redis"
)

func init() { setup.RegisterPolicyStore("redis", openPolicy) }

// policySettings are the keys below redis in policy.store.
type policySettings struct {
	URL        setup.Secret `key:"url" required:"true" doc:"URL of the server, such as rediss://reader:…@cache.example:6379/0"`
	Set        string       `key:"set" default:"default" doc:"name of the set of files, in a server with several"`
	CA         setup.File   `key:"ca" once:"true" doc:"PEM file of the authorities that may sign the server's certificate, instead of the system's; read once"`
	Unverified bool         `key:"unverified_server" doc:"connect to another machine without verifying that it is the right one"`
}

// openPolicy returns a source that connects on first use.
func openPolicy(s *policySettings) (source.Source, func() error, error) {
	opts := []redis.Option{redis.WithName(s.Set)}
	pool, err := authorities(s.CA)
	if err != nil {
		return nil, nil, err
	}
	if pool != nil {
		opts = append(opts, redis.WithRootCAs(pool))
	}
	if s.Unverified {
		opts = append(opts, redis.WithUnverifiedServer())
	}
	store, err := redis.New(s.URL.Reveal(), opts...)
	if err != nil {
		return nil, nil, err
	}
	return store, store.Close, nil
}
