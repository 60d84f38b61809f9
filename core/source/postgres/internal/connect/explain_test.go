package connect_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sallyport-go/sallyport/core/source/postgres/internal/connect"
)

// TestExplain: an error that somebody can act on says how, and is still the error.
func TestExplain(t *testing.T) {
	for code, want := range map[string]string{
		"42P01": "make them",
		"42501": "grant it",
		"42P05": "add default_query_exec_mode=exec", // PgBouncer, when two clients prepare a statement
		"26000": "add default_query_exec_mode=exec", // and when one has prepared it elsewhere
		"57P01": "",
	} {
		err := &pgconn.PgError{Code: code}
		got := connect.Explain(err, "make them", "grant it")
		if (got != nil) != (want != "") || got != nil && (!strings.Contains(got.Error(), want) || !errors.Is(got, err)) {
			t.Errorf("%s: %v", code, got)
		}
	}
}
