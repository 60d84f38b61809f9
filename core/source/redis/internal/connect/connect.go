// Package connect contains what all packages for Redis share: the options of a server, its
// URL, and notifications.
package connect

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
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

// Options parses a URL. A connection to another machine must verify the server, unless that
// was explicitly given up. Errors do not contain the password.
func (s *Settings) Options(url string) (*redis.Options, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		// The error repeats parts of the URL, which may be parts of the password.
		return nil, errors.New("the URL cannot be read: it begins with redis://, rediss:// or unix://, and / # ? @ and : in a password are escaped, as %2F")
	}
	if !s.unverified && o.Network != "unix" && !isHere(o.Addr) && (o.TLSConfig == nil || o.TLSConfig.InsecureSkipVerify) {
		return nil, fmt.Errorf("the connection to %s would not verify the server: use rediss:// without skip_verify", o.Addr)
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

// isHere reports whether an address is on this machine.
func isHere(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}
