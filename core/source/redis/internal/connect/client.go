package connect

import (
	"context"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// Client is a client of one server, of the primary that Sentinels name, or of the node of a
// cluster that has the keys with the prefix. Its errors about missing rights say what to
// check.
type Client struct {
	*redis.Client
	settings *Settings
	options  *Options
	nodes    *nodes
}

// Client returns a client.
func (s *Settings) Client(o *Options) *Client {
	if f := o.sentinel; f != nil {
		f.DialTimeout, f.ReadTimeout, f.WriteTimeout, f.PoolTimeout = o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout
		f.MaxRetries, f.DialerRetries, f.ContextTimeoutEnabled, f.TLSConfig = o.MaxRetries, o.DialerRetries, true, o.TLSConfig
		if f.TLSConfig == nil {
			f.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
				if err := s.checkServer(o, addr); err != nil { // Sentinels name it
					return nil, err
				}
				return (&net.Dialer{Timeout: f.DialTimeout}).DialContext(ctx, network, addr)
			}
		}
		return s.client(redis.NewFailoverClient(f), o)
	}
	return s.client(redis.NewClient(&o.Options), o)
}

func (s *Settings) client(c *redis.Client, o *Options) *Client {
	made := &Client{Client: c, settings: s, options: o}
	c.AddHook(rights(s.Prefix()))
	if o.sentinel == nil && o.Network != "unix" {
		made.nodes = &nodes{settings: s, options: o}
		c.AddHook(made.nodes)
	}
	return made
}

// WithTimeout returns a client that shares connections with c, but has another timeout.
// go-redis does not copy hooks. Both must be closed.
func (c *Client) WithTimeout(d time.Duration) *Client {
	o := *c.options
	o.ReadTimeout, o.WriteTimeout = d, d
	return c.settings.client(c.Client.WithTimeout(d), &o)
}

// Close closes the connections.
func (c *Client) Close() error {
	if c.nodes != nil {
		c.nodes.close()
	}
	return c.Client.Close()
}
