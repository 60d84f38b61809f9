package connect

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// rights explains that a user lacks rights on keys with this prefix.
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

const lacking = "the user of the URL has no right to do that"

// explain says what to check if a user lacks the rights for an operation, once. Before
// version 7.2 a server does not say NOPERM of a command in a script, nor names that.
func explain(err error, to string) error {
	refused := redis.HasErrorPrefix(err, "NOPERM") || err != nil && strings.Contains(err.Error(), "The user executing the script can't ")
	if !refused || strings.Contains(err.Error(), lacking) {
		return err
	}
	return fmt.Errorf(lacking+" to %s: see its ACL, the name in braces (WithName, --set, --service), and the server's ACL LOG: %w", to, err)
}
