// Package redisstate keeps shared counts of a service's instances in Redis or
// Valkey, so that many instances are as strict as one: the failures of
// [attempts.WithStore], and the proofs of [dpop.WithReplays].
//
// Each call is one script or command, and so one round trip and one atomic step.
// Calls are never retried automatically: a command whose response was lost may have
// been executed. All keys expire. They hold keyed hashes, and no address, account,
// token or nonce.
//
// A server that evicts keys forgets what they count: set maxmemory-policy to
// noeviction. A replica that takes over without the newest writes forgets those.
package redisstate

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/source/redis/internal/connect"
)

// State is the state of a named service on a server. It is safe for concurrent use.
type State struct {
	client *connect.Client
	prefix string
}

// Option configures [New].
type Option func(*settings) error

type settings struct {
	connect.Settings
	timeout time.Duration
}

// WithName names the service whose instances share the state: "default" by default.
// Keys begin with "sallyport:{NAME}:", so that in a cluster they are on one node.
func WithName(name string) Option {
	return func(s *settings) error { return s.SetName(name) }
}

// WithUnverifiedServer allows a connection to another machine without TLS. Anyone
// on the path can then read and change the counts.
func WithUnverifiedServer() Option { return func(s *settings) error { return s.SetUnverified() } }

// WithRootCAs sets the authorities that may sign the server's certificate, in place
// of those that the system trusts. It is for URLs that begin with rediss://.
func WithRootCAs(pool *x509.CertPool) Option {
	return func(s *settings) error { return s.SetRootCAs(pool) }
}

// WithTimeout bounds connecting, and each response; 250 ms by default, 1 ms to 10
// s.
func WithTimeout(d time.Duration) Option {
	return func(s *settings) error {
		return option.SetUnless(&s.timeout, d, d < time.Millisecond || d > 10*time.Second, "timeout %v: must be from 1ms to 10s", d)
	}
}

// New returns the state on the server that a URL names, such as
//
//	rediss://app:…@cache.example:6379/0
//
// It does not connect. A connection to another machine must be rediss://, with
// TLS: New refuses others without [WithUnverifiedServer], and a URL that has
// skip_verify.
//
// Any node of a cluster may be named: keys are followed to the node that has them. With
// master_name in the query, the URL names Sentinels, as in [redis.ParseFailoverURL].
func New(url string, opts ...Option) (*State, error) {
	s := settings{connect.Defaults(), 250 * time.Millisecond}
	if err := option.Apply(&s, opts); err != nil {
		return nil, fmt.Errorf("redisstate: %w", err)
	}
	o, err := s.Options(url)
	if err != nil {
		return nil, fmt.Errorf("redisstate: %w", err)
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = s.timeout, s.timeout, s.timeout, s.timeout
	o.MaxRetries, o.DialerRetries = -1, 1
	return &State{s.Client(o), s.Prefix()}, nil
}

// Close closes the connections. Stores and logs of the state must no longer be
// used.
func (s *State) Close() error { return s.client.Close() }

// Ready returns an error if the server does not answer, evicts keys, or is a replica
// outside a cluster. Without the right +info it only sees that the server answers.
func (s *State) Ready(ctx context.Context) error {
	if err := connect.CheckServer(ctx, s.client); err != nil {
		return fmt.Errorf("redisstate: %w", err)
	}
	return nil
}

// run runs a script that returns want integers.
func (s *State) run(ctx context.Context, script *redis.Script, want int, keys []string, args ...any) ([]int64, error) {
	got, err := script.Run(ctx, s.client, keys, args...).Int64Slice()
	if err == nil && len(got) != want {
		err = errors.New("the answer of the script has the wrong length")
	}
	return got, err
}
