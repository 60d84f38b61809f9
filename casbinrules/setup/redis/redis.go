// Package redis adds stores in Redis or Valkey to package setup: for sessions, and
// for policies that instances share. Import it only for that:
//
//	import _ "github.com/sallyport-go/sallyport/casbinrules/setup/redis"
//
// A configuration file then has the kind redis below session.store:
//
//	session:
//	  store: {redis: {address: 127.0.0.1:6379}}
//
// and below policy.store, where it is the store of core/source/redis.
package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/source/redis/redisstate"
)

func init() { setup.RegisterSessionStore("redis", open) }

// settings are the keys below redis.
type settings struct {
	Address  string        `key:"address" required:"true" doc:"host:port of the server"`
	Username string        `key:"username" doc:"user of the server; its default user otherwise"`
	Password setup.Secret  `key:"password" doc:"password of that user; none by default"`
	Database int           `key:"database" default:"0" doc:"number of the database"`
	TLS      bool          `key:"tls" doc:"connect with TLS"`
	CA       setup.File    `key:"ca" once:"true" doc:"PEM file of the authorities that may sign the server's certificate, instead of the system's, with tls; read once"`
	Prefix   string        `key:"prefix" default:"sallyport:session:" doc:"what the names of keys begin with; services with the same share their sessions"`
	Timeout  time.Duration `key:"timeout" default:"500ms" doc:"how long connecting, and each answer, may take"`
}

// open returns a store that connects on first use and fails fast: an outage must
// cause 503, not a queue of waiting requests.
func open(s *settings) (session.Store, func() error, error) {
	host, _, err := net.SplitHostPort(s.Address)
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("address %q: want host:port, such as 127.0.0.1:6379", s.Address)
	case s.Timeout <= 0:
		return nil, nil, fmt.Errorf("timeout %v: must be above 0", s.Timeout)
	case s.Database < 0:
		return nil, nil, fmt.Errorf("database %d: must be at least 0", s.Database)
	case s.CA != "" && !s.TLS:
		return nil, nil, errors.New("ca is for a connection with tls: true")
	}
	options := &redis.Options{
		Addr: s.Address, Username: s.Username, Password: s.Password.Reveal(), DB: s.Database,
		DialTimeout: s.Timeout, ReadTimeout: s.Timeout, WriteTimeout: s.Timeout,
		ContextTimeoutEnabled: true, MaxRetries: 1, DialerRetries: 1,
	}
	if s.TLS {
		pool, err := authorities(s.CA)
		if err != nil {
			return nil, nil, err
		}
		options.TLSConfig = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: pool}
	}
	client := redis.NewClient(options)
	return &store{client, s.Prefix}, client.Close, nil
}

// store keeps each entry in a key that expires.
type store struct {
	client *redis.Client
	prefix string
}

var _ session.ContextStore = (*store)(nil)

// Ready returns an error if the server cannot be used for sessions.
func (s *store) Ready(ctx context.Context) error { return redisstate.CheckServer(ctx, s.client) }

func (s *store) FindCtx(ctx context.Context, key string) (data []byte, found bool, err error) {
	data, err = s.client.Get(ctx, s.prefix+key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	return data, err == nil, err
}

func (s *store) CommitCtx(ctx context.Context, key string, data []byte, expires time.Time) error {
	// With an absolute expiry, a slow command does not extend the lifetime.
	return s.client.SetArgs(ctx, s.prefix+key, data, redis.SetArgs{ExpireAt: expires}).Err()
}

func (s *store) DeleteCtx(ctx context.Context, key string) error {
	return s.client.Del(ctx, s.prefix+key).Err()
}

func (s *store) Find(key string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), key)
}

func (s *store) Commit(key string, data []byte, expires time.Time) error {
	return s.CommitCtx(context.Background(), key, data, expires)
}

func (s *store) Delete(key string) error { return s.DeleteCtx(context.Background(), key) }
