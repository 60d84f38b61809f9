package authtest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// FreePort returns a free port of 127.0.0.1, for a program that has to be told one. It is
// below the range of ephemeral ports, so that no concurrent test is assigned it before the
// program listens.
func FreePort(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := strconv.Itoa(20_000 + rand.N(12_000))
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port)); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port from 20000 to 31999 is free")
	return ""
}
