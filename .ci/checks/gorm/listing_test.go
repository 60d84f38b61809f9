//go:build unix

package gorm

import (
	"slices"
	"testing"
	"testing/fstest"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgrestest"
)

type report struct{ Path string }

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
		if err := db.Create(&report{path}).Error; err != nil {
			t.Fatal(err)
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
	if err := db.Model(&report{}).Where(condition, args...).Order("path").Pluck("path", &got).Error; err != nil {
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
}
