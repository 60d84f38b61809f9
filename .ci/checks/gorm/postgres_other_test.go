//go:build !unix

package gorm

import "testing"

// server is what the test needs of a PostgreSQL server.
type server struct {
	dsn  string
	stop func()
}

func startPostgres(t *testing.T) server {
	t.Helper()
	t.Skip("not run on this system: the test starts PostgreSQL with a socket in a folder, as on Unix")
	return server{}
}
