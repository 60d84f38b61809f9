//go:build unix

package redistest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// Cluster is a cluster of a primary, which has all slots, and its replica.
type Cluster struct {
	Nodes [2]*Server
	t     testing.TB
}

// StartCluster starts a cluster, whose first node is the primary.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	for i := range c.Nodes {
		c.Nodes[i] = Start(t, "--cluster-enabled", "yes", "--cluster-port", authtest.FreePort(t))
	}
	primary := c.do(0, "CLUSTER", "MYID")
	host, port, _ := strings.Cut(c.Nodes[1].Addr(), ":")
	c.do(0, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
	c.do(0, "CLUSTER", "MEET", host, port, c.Nodes[1].option("--cluster-port"))
	await(t, "the nodes know each other", func() bool {
		return strings.Contains(c.do(1, "CLUSTER", "NODES"), primary) && strings.Contains(c.do(1, "CLUSTER", "INFO"), "cluster_state:ok")
	})
	c.do(1, "CLUSTER", "REPLICATE", primary)
	c.awaitPrimary(0)
	return c
}

// Move makes the other node the primary, which keeps all keys.
func (c *Cluster) Move(to int) {
	c.t.Helper()
	c.do(to, "CLUSTER", "FAILOVER", "TAKEOVER")
	c.awaitPrimary(to)
}

func (c *Cluster) awaitPrimary(node int) {
	c.t.Helper()
	await(c.t, "one node is the primary, and the other has what it has", func() bool {
		return strings.Contains(c.do(node, "INFO", "replication"), "role:master") &&
			strings.Contains(c.do(node, "CLUSTER", "INFO"), "cluster_state:ok") &&
			strings.Contains(c.do(1-node, "INFO", "replication"), "master_link_status:up")
	})
}

// do is a command on a node, and its answer as text.
func (c *Cluster) do(node int, args ...any) string {
	c.t.Helper()
	return c.Nodes[node].do(args...)
}

// do is a command, and its answer as text.
func (s *Server) do(args ...any) string {
	s.t.Helper()
	client := redis.NewClient(&redis.Options{Addr: s.addr})
	defer func() { _ = client.Close() }()
	got, err := client.Do(context.Background(), args...).Result()
	if err != nil {
		s.t.Fatal(args, err)
	}
	return fmt.Sprint(got)
}

// await waits until something is so.
func await(t testing.TB, what string, is func() bool) {
	t.Helper()
	limit := time.Now().Add(authtest.TimeLimit(30 * time.Second))
	for !is() {
		if time.Now().After(limit) {
			t.Fatalf("it takes too long: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// option returns the value of an argument of the server.
func (s *Server) option(name string) string {
	for i, arg := range s.more {
		if arg == name {
			return s.more[i+1]
		}
	}
	return ""
}

// StartSentinel starts a replica of a primary, and a Sentinel that lets it take over. It
// returns the URL by which clients find the primary, once all of them know each other.
func StartSentinel(t testing.TB, primary *Server) (url string) {
	t.Helper()
	host, port, _ := strings.Cut(primary.Addr(), ":")
	replica := Start(t, "--replicaof", host+" "+port)
	await(t, "the replica has what the primary has", func() bool {
		return strings.Contains(replica.do("INFO", "replication"), "master_link_status:up")
	})
	own := authtest.FreePort(t)
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	text := fmt.Sprintf("sentinel monitor primary %s %s 1\nsentinel down-after-milliseconds primary 1000\nsentinel failover-timeout primary 3000\n", host, port)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Server{scheme: "redis", config: []string{file}, more: []string{"--sentinel", "--port", own}, ready: "+monitor master"}
	s.start(t, own)
	await(t, "the Sentinel knows the replica", func() bool { return strings.Contains(s.do("SENTINEL", "REPLICAS", "primary"), "master-link-status:ok") })
	return s.URL() + "?master_name=primary"
}
