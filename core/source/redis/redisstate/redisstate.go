// Package redisstate keeps in Redis or Valkey what the instances of a service
// count together, so that many instances are as strict as one: the failures of
// [attempts.WithStore], and the proofs of [dpop.WithReplays].
//
// Each question is one script or command, and so one round trip and one atomic
// step. Nothing is asked twice by itself: a command whose answer was lost may have
// been carried out. All keys expire. They hold keyed hashes, and no address,
// account, token or nonce.
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

// State is a server, or a named part of one. It is safe for concurrent use.
type State struct {
	client *redis.Client
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

// WithUnverifiedServer lets a connection to another machine do without TLS.
// Whoever is on the way can then read and change what is counted.
func WithUnverifiedServer() Option { return func(s *settings) error { return s.SetUnverified() } }

// WithRootCAs sets which authorities may sign the certificate of the server, in place
// of those that the system trusts. It is for URLs that begin with rediss://.
func WithRootCAs(pool *x509.CertPool) Option {
	return func(s *settings) error { return s.SetRootCAs(pool) }
}

// WithTimeout sets how long connecting, and each answer, may take; 250 ms by
// default, 1 ms to 10 s.
func WithTimeout(d time.Duration) Option {
	return func(s *settings) error {
		if d < time.Millisecond || d > 10*time.Second {
			return fmt.Errorf("timeout %v: must be from 1ms to 10s", d)
		}
		s.timeout = d
		return nil
	}
}

// New makes the state of the server that a URL names, such as
//
//	rediss://app:…@cache.example:6379/0
//
// It does not connect. A connection to another machine must be rediss://, with
// TLS: New refuses others without [WithUnverifiedServer], and a URL that has
// skip_verify.
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

// Close ends the connections. What the state was given to must no longer be used.
func (s *State) Close() error { return s.client.Close() }

// run runs a script whose answer is integers, as many as want.
func (s *State) run(ctx context.Context, script *redis.Script, want int, keys []string, args ...any) ([]int64, error) {
	got, err := script.Run(ctx, s.client, keys, args...).Int64Slice()
	if err == nil && len(got) != want {
		err = errors.New("the answer of the script has another length")
	}
	return got, err
}
