// Package stores has the commands about what the instances of a service share in a store:
// policies, which are published there, and revocations.
package stores

import (
	"context"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"
)

// Commands returns the commands.
func Commands() []*cobra.Command {
	return []*cobra.Command{newPush(), newPull(), newHistory(), newShow(), newRollback(), newStatus(), newStore(), newRevoke(), newState()}
}

// The Redis client would write to stderr what its errors contain, too.
func init() { redis.SetLogger(silent{}) }

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}
