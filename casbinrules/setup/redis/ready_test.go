//go:build unix

package redis

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source/redis/redistest"
)

// TestReadyOfServer: a server that may forget what it is given, or shows what was some time ago, is
// reported at each store in it, once.
func TestReadyOfServer(t *testing.T) {
	good := redistest.Start(t)
	for name, c := range map[string]struct {
		server *redistest.Server
		want   string // "" for ready
	}{
		"good":         {good, ""},
		"never full":   {redistest.Start(t, "--maxmemory-policy", "allkeys-lru"), ""},
		"bounded":      {redistest.Start(t, "--maxmemory", "100mb"), ""},
		"evicts":       {redistest.Start(t, "--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru"), "it is volatile-lru"},
		"replica":      {redistest.Start(t, "--replicaof", strings.Replace(good.Addr(), ":", " ", 1)), "the server is a replica"},
		"in a cluster": {redistest.StartCluster(t).Nodes[0], ""},
		"has no INFO":  {redistest.Start(t, "--rename-command", "INFO", ""), ""},
		"does not say": {redistest.Start(t, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru", "--user", "default", "on", "nopass", "~*", "&*", "+@all", "-info"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("STATE_REDIS", c.server.URL())
			path := filepath.Join(t.TempDir(), "s.yaml")
			text := "realm: shop\nsession:\n  sign_in_page: /login\n  store:\n    redis: {url: '${STATE_REDIS}'}\n" +
				"revocations:\n  store:\n    redis: {url: '${STATE_REDIS}'}\n"
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := setup.Open(path, setup.WithLogger(slog.New(slog.DiscardHandler)))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			limit := authtest.TimeLimit(20 * time.Second)
			if c.want != "" {
				limit = authtest.TimeLimit(time.Second)
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			err = s.Ready(ctx)
			found, _ := err.(setup.Errors)
			if c.want == "" && err != nil || c.want != "" && (len(found) != 2 || strings.Count(err.Error(), c.want) != 2) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
