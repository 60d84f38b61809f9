package connect

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// CheckServer returns an error if the server does not answer, evicts keys to make room, or
// is a replica, which answers reads however late it is. It needs the right +info; without
// that, or where the command was renamed, it only sees that the server answers.
func CheckServer(ctx context.Context, c redis.Cmdable) error {
	text, err := c.Info(ctx).Result()
	switch {
	case redis.HasErrorPrefix(err, "NOPERM"), redis.HasErrorPrefix(err, "unknown command"):
		return nil
	case err != nil:
		return err
	}
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	policy := info["maxmemory_policy"]
	switch {
	case info["maxmemory"] != "" && info["maxmemory"] != "0" && policy != "" && policy != "noeviction":
		return fmt.Errorf("the server forgets what it was given when its memory is full, such as logouts: set its maxmemory-policy to noeviction; it is %s", policy)
	case info["role"] == "slave" && info["cluster_enabled"] != "1": // in a cluster it names its primary
		return errors.New("the server is a replica, and as late as that is: name its primary")
	}
	return nil
}
