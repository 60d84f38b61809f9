package connect

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Client makes a client, whose errors about rights say what to look at.
func (s *Settings) Client(o *redis.Options) *redis.Client {
	c := redis.NewClient(o)
	c.AddHook(rights(s.Prefix()))
	return c
}

// WithTimeout is a client with the same connections and another time for an answer.
// Hooks are not copied by go-redis.
func (s *Settings) WithTimeout(c *redis.Client, d time.Duration) *redis.Client {
	c = c.WithTimeout(d)
	c.AddHook(rights(s.Prefix()))
	return c
}

// rights explains that a user may not do something with keys behind a prefix.
type rights string

func (rights) DialHook(next redis.DialHook) redis.DialHook { return next }

func (r rights) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return explain(next(ctx, cmd), "keys "+string(r)+"*")
	}
}

func (r rights) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return explain(next(ctx, cmds), "keys "+string(r)+"*")
	}
}

// explain says what to look at if a user has no right to something.
func explain(err error, to string) error {
	if !redis.HasErrorPrefix(err, "NOPERM") {
		return err
	}
	return fmt.Errorf("the user of the URL has no right to do that to %s: see its ACL, and the name in braces (WithName, --set, --service): %w", to, err)
}
