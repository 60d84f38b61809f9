//go:build unix

package postgres

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/bridge/bridgetest"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgrestest"
)

// stored are the objects in the table: those of requests, and those that LIKE or
// a regular expression could take for them.
var stored = slices.Concat(bridgetest.Objects(), []string{
	"/", "/b", "/c", "/a/x", "/a/", "/b/2", "/b/2/", "group1", "group2", "/a.1", "/aX1", "/a1", "/A", "/a%", "/a_1", "%", "_", `/a\1`, "/x/2/c", "//", "/ä/1", "/a/1\n",
})

// owners are those of objects in the table, beside nobody.
var owners = []string{"u0", "u1", "U0", "owner", ""}

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
		create table report (path text collate caseless, owner text collate caseless)`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), "insert into report select path, owner from unnest(array_append($1::text[], null) || array['']) path, unnest(array_append($2::text[], null)) owner", stored, owners); err != nil {
		t.Fatal(err)
	}
	seed, selected := authtest.Seed(t), 0
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
	compareDefaultOwner(t, db)
}

// rows are the objects and owners that a condition selects.
func rows(t *testing.T, db *pgx.Conn, condition string, args []any) []string {
	t.Helper()
	found, err := db.Query(t.Context(), "select path || ' of ' || coalesce(owner, 'none') from report where "+condition, args...)
	if err != nil {
		t.Fatalf("%s %q: %v", condition, args, err)
	}
	got, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s %q: %v", condition, args, err)
	}
	return got
}

// compareDefaultOwner selects rows without an owner, which another owner stands for.
func compareDefaultOwner(t *testing.T, db *pgx.Conn) {
	t.Helper()
	a, err := casbinrules.OpenFS(fstest.MapFS{"policy.csv": {Data: []byte("p, /a, GET\n")}},
		casbinrules.ModelText("model.conf", `[request_definition]
r = sub, obj, act, owner
[policy_definition]
p = obj, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == r.owner && r.obj == p.obj && r.act == p.act
`),
		[]string{"policy.csv"}, casbinrules.WithObjectAttributeOr("owner", "u1"), casbinrules.WithoutTokenRoles())
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string][]string{"u0": {"/a of u0"}, "u1": {"/a of none", "/a of u1"}, "U0": {"/a of U0"}} {
		p, err := core.NewPrincipal(core.PrincipalInfo{ID: id})
		if err != nil {
			t.Fatal(err)
		}
		set, err := a.Objects(t.Context(), p, casbinrules.Action{Name: "GET"})
		if err != nil {
			t.Fatal(err)
		}
		condition, args, err := set.SQL("path", casbinrules.Dollar, casbinrules.WithColumn("owner", "owner"))
		if err != nil {
			t.Fatal(err)
		}
		got := rows(t, db, condition, args)
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s %q selects %q for %s, want %q", condition, args, got, id, want)
		}
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
	owned := strings.Contains(sample.Model, "act, owner\n")
	var columns []casbinrules.SQLOption
	if owned {
		columns = append(columns, casbinrules.WithColumn("owner", "report.owner"))
	}
	condition, args, err := set.SQL("report.path", casbinrules.Dollar, columns...)
	if err != nil {
		if !strings.Contains(err.Error(), "policy.csv:") && !strings.Contains(err.Error(), "a name in role links: ") {
			t.Errorf("neither rule nor role links are named: %v", err)
		}
		return 0
	}
	got := rows(t, db, condition, args)
	var want []string
	for _, object := range stored {
		for _, owner := range append(slices.Clone(owners), "none") {
			ok := false
			switch {
			case owned && owner != "none":
				ok, err = set.ContainsAbout(object, map[string]string{"owner": owner})
			case !owned:
				ok, err = set.Contains(object)
			}
			if err != nil {
				t.Fatal(err)
			}
			if ok {
				want = append(want, object+" of "+owner)
			}
		}
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
