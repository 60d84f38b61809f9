//go:build unix

package postgres

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/bridge/bridgetest"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgrestest"
)

// stored are the objects in the table: those of requests, and those that LIKE or
// a regular expression could take for them.
var stored = slices.Concat(bridgetest.Objects(), []string{
	"/", "/b", "/c", "/a/x", "/a/", "/b/2", "/b/2/", "group1", "group2", "/a.1", "/aX1", "/a1", "/A", "/a%", "/a_1", "%", "_", `/a\1`, "/x/2/c", "//", "/ä/1", "/a/1\n",
})

// TestRowsSelectedAreObjectsAllowed selects by the condition of a set, from a
// table whose collation knows no case, and decides object by object.
func TestRowsSelectedAreObjectsAllowed(t *testing.T) {
	server := postgrestest.Start(t)
	db, err := pgx.Connect(t.Context(), server.URL("sallyport"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(t.Context()) }()
	if _, err := db.Exec(t.Context(), `create collation caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
		create table report (path text collate caseless)`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), "insert into report select unnest($1::text[]) union all select null union all select ''", stored); err != nil {
		t.Fatal(err)
	}
	seed, selected := uint64(time.Now().UnixNano()), 0
	t.Logf("seed %d", seed)
	for sample := range bridgetest.Samples(seed, 5) {
		a, err := casbinrules.OpenFS(fstest.MapFS{"policy.csv": {Data: []byte(strings.Join(sample.Lines, "\n"))}},
			casbinrules.ModelText("model.conf", sample.Model), []string{"policy.csv"}, sample.Options...)
		if err != nil {
			t.Fatal(err)
		}
		selected += compareRows(t, db, a, sample)
	}
	if selected < 100 {
		t.Errorf("%d rows were selected in all: that proves nothing", selected)
	}
}

func compareRows(t *testing.T, db *pgx.Conn, a *casbinrules.Authorizer, sample bridgetest.Sample) int {
	t.Helper()
	p, action := sample.Principal, casbinrules.Action{Name: sample.Action}
	set, err := a.Objects(t.Context(), p, action)
	if unlistable := new(casbinrules.UnlistableError); errors.As(err, &unlistable) {
		return 0
	} else if err != nil {
		t.Fatal(err)
	}
	condition, args, err := set.SQL("report.path", casbinrules.Dollar)
	if err != nil {
		if !strings.Contains(err.Error(), "policy.csv:") && !strings.Contains(err.Error(), "a name in role links: ") {
			t.Errorf("neither rule nor role links are named: %v", err)
		}
		return 0
	}
	rows, err := db.Query(t.Context(), "select path from report where "+condition, args...)
	if err != nil {
		t.Fatalf("%s %q: %v", condition, args, err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s %q: %v", condition, args, err)
	}
	want, err := a.Filter(t.Context(), p, action, stored)
	if err != nil {
		t.Fatal(err)
	}
	plain := slices.DeleteFunc(slices.Clone(want), func(object string) bool {
		return strings.Contains(object, "\n") || strings.Contains(object, "?") && strings.Contains(sample.Model, "keyMatch5")
	})
	slices.Sort(got)
	slices.Sort(plain)
	if !slices.Equal(got, plain) {
		t.Fatalf("%s: %s %q selects %q, and %q are allowed", sample.Name, condition, args, got, want)
	}
	return len(got)
}
