//go:build unix

package gorm

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgrestest"
)

type report struct{ Path, Owner string }

// TestRowsThatMayBeSeen selects through gorm what the policy allows.
func TestRowsThatMayBeSeen(t *testing.T) {
	db, err := gorm.Open(postgres.Open(postgrestest.Start(t).URL("sallyport")), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if pool, err := db.DB(); err == nil {
			_ = pool.Close()
		}
	})
	if err := db.AutoMigrate(&report{}); err != nil {
		t.Fatal(err)
	}
	paths := []string{"/reports", "/reports/1", "/reports/2", "/reports/2/pages", "/public/a?b", "/public", "/REPORTS/1", "it's"}
	for _, path := range paths {
		for _, owner := range []string{"erin", "Erin", ""} {
			if err := db.Create(&report{path, owner}).Error; err != nil {
				t.Fatal(err)
			}
		}
	}
	policy, err := casbinrules.OpenFS(fstest.MapFS{"policy.csv": {Data: []byte(`p, erin, /reports/:id, GET, allow
p, erin, /reports/2, GET, deny
p, erin, /public/*, GET, allow
p, erin, "it's", GET, allow
`)}}, casbinrules.RBACWithDeny(), []string{"policy.csv"})
	if err != nil {
		t.Fatal(err)
	}
	erin, err := core.NewPrincipal(core.PrincipalInfo{ID: "erin"})
	if err != nil {
		t.Fatal(err)
	}
	set, err := policy.Objects(t.Context(), erin, casbinrules.Action{Name: "GET"})
	if err != nil {
		t.Fatal(err)
	}
	condition, args, err := set.SQL("path", casbinrules.QuestionMark)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := db.Model(&report{}).Where(condition, args...).Where("owner = ''").Pluck("path", &got).Error; err != nil {
		t.Fatal(err)
	}
	want, err := policy.Filter(t.Context(), erin, casbinrules.Action{Name: "GET"}, paths)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || len(want) != 3 {
		t.Errorf("%s %q selects %q, allowed are %q", condition, args, got, want)
	}
	selectOwn(t, db, paths, erin)
}

// selectOwn selects what only owners may see, and what nobody else may.
func selectOwn(t *testing.T, db *gorm.DB, paths []string, p *core.Principal) {
	t.Helper()
	model := strings.NewReplacer("r = sub, obj, act", "r = sub, obj, act, owner",
		"m = g(r.sub, p.sub)", `m = (p.sub != "owner" && g(r.sub, p.sub) || p.sub == "owner" && r.sub == r.owner)`).Replace(casbinrules.RBAC().Text())
	policy, err := casbinrules.OpenFS(fstest.MapFS{"policy.csv": {Data: []byte("p, owner, /reports/:id, GET\np, erin, /public, GET\n")}},
		casbinrules.ModelText("model.conf", model), []string{"policy.csv"}, casbinrules.WithObjectAttribute("owner"))
	if err != nil {
		t.Fatal(err)
	}
	set, err := policy.Objects(t.Context(), p, casbinrules.Action{Name: "GET"})
	if err != nil {
		t.Fatal(err)
	}
	condition, args, err := set.SQL("path", casbinrules.QuestionMark, casbinrules.WithColumn("owner", "owner"))
	if err != nil {
		t.Fatal(err)
	}
	var got, want []report
	if err := db.Where(condition, args...).Find(&got).Error; err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		for _, owner := range []string{"erin", "Erin", ""} {
			d, err := policy.About(map[string]string{"owner": owner}).Authorize(t.Context(), p, core.Access{Action: "GET", Resource: core.Resource{Name: path}})
			if err != nil {
				t.Fatal(err)
			}
			if d.Allowed {
				want = append(want, report{path, owner})
			}
		}
	}
	for _, reports := range [][]report{got, want} {
		slices.SortFunc(reports, func(a, b report) int { return strings.Compare(a.Path+a.Owner, b.Path+b.Owner) })
	}
	if !slices.Equal(got, want) || len(want) != 5 {
		t.Errorf("%s %q selects %q, allowed are %q", condition, args, got, want)
	}
}
