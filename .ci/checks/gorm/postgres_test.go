//go:build unix

package gorm

import (
	"testing"

	"gorm.io/driver/postgres"

	"github.com/sallyport-go/sallyport/core/source/postgres/postgrestest"
)

func TestPolicyInPostgres(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: it starts a PostgreSQL server, and -short is given")
	}
	server := postgrestest.Start(t)
	testPolicy(t, postgres.Open(server.URL("sallyport")), server.Stop)
}
