// Package connect reads the URLs of servers, for all that is kept in Redis.
package connect

import (
	"errors"
	"fmt"
	"net"

	"github.com/redis/go-redis/v9"
)

// Options are those of a URL. A connection to another machine must verify the
// server, unless unverified is set. Errors say nothing of the password.
func Options(url string, unverified bool) (*redis.Options, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		// The error repeats parts of the URL, which may be parts of the password.
		return nil, errors.New("the URL cannot be read: it begins with redis://, rediss:// or unix://, and / # ? @ and : in a password are escaped, as %2F")
	}
	if !unverified && o.Network != "unix" && !isHere(o.Addr) && (o.TLSConfig == nil || o.TLSConfig.InsecureSkipVerify) {
		return nil, fmt.Errorf("the connection to %s would not verify the server: use rediss:// without skip_verify", o.Addr)
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

// Prefix is what the keys of a name begin with: in a cluster they are on one
// node, so that a script may use several of them.
func Prefix(name string) string { return "sallyport:{" + name + "}:" }
