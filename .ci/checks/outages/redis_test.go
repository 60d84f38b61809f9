//go:build unix

package outages_test

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source/redis/redisstate"
	"github.com/sallyport-go/sallyport/core/source/redis/redistest"
)

// patience is for how long a service waits for its store.
func patience() time.Duration { return authtest.TimeLimit(300 * time.Millisecond) }

func redisStores(url string) stores {
	s := must(redisstate.New(url, redisstate.WithTimeout(patience())))
	return stores{sessions: s.Sessions(), log: s.Revocations(), attempts: s.Attempts(), replays: s.Replays(), counts: s.Counts(), close: func() { _ = s.Close() }}
}

// replies are what a server may say to a command. It says so to each, with -short to those
// alone by which no connection begins.
func replies() (all []fault) {
	for _, text := range []string{
		"-READONLY You can't write against a read only replica.\r\n", "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
		"-NOAUTH Authentication required.\r\n", "-NOPERM this user has no permissions\r\n", "-LOADING Redis is loading the dataset in memory\r\n",
		"-MOVED 3999 127.0.0.1:1\r\n", "-ASK 3999 127.0.0.1:1\r\n", "-CLUSTERDOWN The cluster is down\r\n", "-MASTERDOWN Link with MASTER is down\r\n",
		"-MISCONF Errors writing to the AOF file\r\n", "-BUSY Redis is busy running a script.\r\n", "-TRYAGAIN Multiple keys\r\n",
		"-NOREPLICAS Not enough good replicas to write.\r\n", "-ERR max number of clients reached\r\n", "-WRONGTYPE Operation against a key\r\n",
		"-NOSCRIPT No matching script.\r\n", "-\r\n", "?\r\n", "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html>\r\n", "*3\r\n:1\r\n", "$100\r\nshort\r\n", "*2\r\n:1\r\n-ERR in the middle\r\n",
	} {
		for _, setup := range []bool{false, true} {
			if setup && testing.Short() {
				continue
			}
			all = append(all, fault{name: fmt.Sprintf("reply %q, setup %v", text, setup), reply: text, setup: setup})
		}
	}
	return all
}

// ofTheWay are the faults of a network.
func ofTheWay() []fault {
	return []fault{
		{name: "refused", refuse: true}, {name: "silent", silent: true}, {name: "answers lost", lost: true},
		{name: "cut", cut: -1}, {name: "cut in an answer", cut: 1}, {name: "slow", slow: 2 * patience()}, {name: "a little slow", slow: 20 * time.Millisecond},
	}
}

func TestRedis(t *testing.T) {
	s := redistest.Start(t)
	w := newWay(t, s.Addr(), true)
	of, on := newShared(t), redisStores("redis://"+w.addr())
	defer on.close()
	a := newApp(t, of, on, patience())
	requests := append(ofSessions(), ofCounts()...)
	recovers(t, a, requests)
	before := runtime.NumGoroutine()
	for _, f := range append(ofTheWay(), replies()...) {
		t.Run(f.name, func(t *testing.T) {
			fails(t, a, requests, func() { w.set(f) }, func() { w.set(fault{}) })
			settled(t, before+4*connectionsOfRedis)
			if open, _ := w.made(); open > connectionsOfRedis {
				t.Errorf("%d connections", open)
			}
		})
	}
}

// connectionsOfRedis is how many a state has at most, with those that listen.
var connectionsOfRedis = 10*runtime.GOMAXPROCS(0) + 2

// TestRedisServer has the server itself fail.
func TestRedisServer(t *testing.T) {
	of := newShared(t)
	var full *goredis.Client
	replica := redistest.Start(t)
	host, port, _ := net.SplitHostPort(replica.Addr())
	for name, outage := range map[string]struct {
		begin, end func(*testing.T, *redistest.Server)
	}{
		"killed": {func(_ *testing.T, s *redistest.Server) { s.Crash() }, func(_ *testing.T, s *redistest.Server) { s.Start() }},
		"paused": {func(_ *testing.T, s *redistest.Server) { s.Pause() }, func(_ *testing.T, s *redistest.Server) { s.Resume() }},
		"without memory": {func(t *testing.T, s *redistest.Server) { says(t, s, "CONFIG", "SET", "maxmemory", "1") },
			func(t *testing.T, s *redistest.Server) { says(t, s, "CONFIG", "SET", "maxmemory", "0") }},
		"without writes": {func(t *testing.T, s *redistest.Server) { says(t, s, "CONFIG", "SET", "min-replicas-to-write", "3") },
			func(t *testing.T, s *redistest.Server) { says(t, s, "CONFIG", "SET", "min-replicas-to-write", "0") }},
		"with a password": {func(t *testing.T, s *redistest.Server) {
			says(t, s, "ACL", "SETUSER", "root", "on", ">root", "~*", "&*", "+@all")
			says(t, s, "CONFIG", "SET", "requirepass", "x")
			says(t, s, "CLIENT", "KILL", "TYPE", "normal")
		}, func(t *testing.T, s *redistest.Server) { says(t, s, "CONFIG", "SET", "requirepass", "") }},
		"a replica": {func(t *testing.T, s *redistest.Server) {
			says(t, s, "CONFIG", "SET", "appendonly", "no")
			says(t, s, "REPLICAOF", host, port)
		}, func(t *testing.T, s *redistest.Server) { says(t, s, "REPLICAOF", "NO", "ONE") }},
		"with writes paused": {func(t *testing.T, s *redistest.Server) { says(t, s, "CLIENT", "PAUSE", "100000", "WRITE") },
			func(t *testing.T, s *redistest.Server) { says(t, s, "CLIENT", "UNPAUSE") }},
		"full": {func(t *testing.T, s *redistest.Server) {
			c := goredis.NewClient(&goredis.Options{Addr: s.Addr(), PoolSize: 1}) // which is the one that there may be
			for _, command := range [][]any{{"CONFIG", "SET", "maxclients", "1"}, {"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}} {
				if err := c.Do(t.Context(), command...).Err(); err != nil {
					t.Fatal(err)
				}
			}
			t.Cleanup(func() { _ = c.Close() })
			full = c
		}, func(t *testing.T, _ *redistest.Server) {
			if err := full.Do(t.Context(), "CONFIG", "SET", "maxclients", "1000").Err(); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
			on := redisStores(s.URL())
			defer on.close()
			a := newApp(t, of, on, patience())
			requests := append(ofSessions(), ofCounts()...)
			fails(t, a, requests, func() { outage.begin(t, s) }, func() { outage.end(t, s) })
		})
	}
}

// says has a server do a command, as often as it takes.
func says(t *testing.T, s *redistest.Server, command ...any) {
	t.Helper()
	var err error
	for range 50 {
		for _, user := range []string{"", "root"} {
			c := goredis.NewClient(&goredis.Options{Addr: s.Addr(), Username: user, Password: user, MaxRetries: -1})
			err = c.Do(context.WithoutCancel(t.Context()), command...).Err()
			_ = c.Close()
			if err == nil {
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal(command, err)
}
