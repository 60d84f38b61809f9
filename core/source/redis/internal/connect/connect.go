// Package connect contains what all packages for Redis share: the options of a server, its
// URL, and notifications.
package connect

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	neturl "net/url"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Settings are the settings of a server.
type Settings struct {
	name       string
	unverified bool
	roots      *x509.CertPool // nil for those of the system
}

// Defaults returns the default settings of all packages.
func Defaults() Settings { return Settings{name: "default"} }

// SetName sets the name of the part of the server to use.
func (s *Settings) SetName(name string) error {
	if name == "" || len(name) > 100 || strings.ContainsAny(name, " {}\x00") {
		return fmt.Errorf("name %q: want up to 100 characters without a space and braces", name)
	}
	s.name = name
	return nil
}

// SetUnverified allows a connection to a server that is not verified.
func (s *Settings) SetUnverified() error {
	s.unverified = true
	return nil
}

// SetRootCAs sets the authorities that may sign the server's certificate.
func (s *Settings) SetRootCAs(pool *x509.CertPool) error {
	if pool == nil {
		return errors.New("root CAs: the pool is nil")
	}
	s.roots = pool
	return nil
}

// Prefix returns the prefix of keys. In a cluster it keeps them on one node, so that a
// script may use several of them.
func (s *Settings) Prefix() string { return "sallyport:{" + s.name + "}:" }

// Options are the options of a client.
type Options struct {
	redis.Options
	sentinel *redis.FailoverOptions // of those that name the server; nil without them
}

// Options parses a URL. A connection to another machine must verify the server, unless that
// was explicitly given up. Errors do not contain the password.
func (s *Settings) Options(url string) (*Options, error) {
	o, err := parse(url)
	if err != nil {
		// The error repeats parts of the URL, which may be parts of the password.
		return nil, errors.New("the URL cannot be read: it begins with redis://, rediss:// or unix://, and / # ? @ and : in a password are escaped, as %2F")
	}
	addrs := []string{o.Addr}
	if o.sentinel != nil {
		addrs = o.sentinel.SentinelAddrs
	}
	for _, addr := range addrs {
		if err := s.checkServer(o, addr); err != nil {
			return nil, err
		}
	}
	if s.roots != nil {
		if o.TLSConfig == nil {
			return nil, errors.New("root CAs are for a URL that begins with rediss://")
		}
		o.TLSConfig.RootCAs = s.roots
	}
	o.ContextTimeoutEnabled = true
	return o, nil
}

// checkServer refuses a connection that would not verify the server at addr.
func (s *Settings) checkServer(o *Options, addr string) error {
	if !s.unverified && o.Network != "unix" && !isHere(addr) && (o.TLSConfig == nil || o.TLSConfig.InsecureSkipVerify) {
		return fmt.Errorf("the connection to %s would not verify the server: use rediss:// without skip_verify", addr)
	}
	return nil
}

// parse parses the URL of a server or, if it has master_name, of Sentinels.
func parse(url string) (*Options, error) {
	if u, err := neturl.Parse(url); err != nil || !u.Query().Has("master_name") {
		o, err := redis.ParseURL(url)
		if err != nil {
			return nil, err
		}
		return &Options{Options: *o}, nil
	}
	f, err := redis.ParseFailoverURL(url)
	if err != nil {
		return nil, err
	}
	if f.MasterName == "" || f.ReplicaOnly || f.RouteByLatency || f.RouteRandomly {
		return nil, errors.New("only the primary is used")
	}
	return &Options{redis.Options{
		TLSConfig: f.TLSConfig, DialTimeout: f.DialTimeout, ReadTimeout: f.ReadTimeout, WriteTimeout: f.WriteTimeout,
		PoolTimeout: f.PoolTimeout, MaxRetries: f.MaxRetries, DialerRetries: f.DialerRetries,
	}, f}, nil
}

// isHere reports whether an address is on this machine.
func isHere(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}
