package authtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// failedTest is a test whose failure is kept instead of reported.
type failedTest struct {
	testing.TB
	said string
}

func (f *failedTest) Fatal(args ...any) {
	f.said = fmt.Sprint(args...)
	panic(f)
}

func TestSignedInNeedsAnID(t *testing.T) {
	for name, tc := range map[string]struct {
		info core.PrincipalInfo
		want string // in the failure; "" for none
	}{
		"nobody":        {},
		"a principal":   {info: core.PrincipalInfo{ID: "erin", Roles: []string{"editor"}}},
		"roles alone":   {core.PrincipalInfo{Roles: []string{"editor"}}, "has no ID"},
		"a tenant only": {core.PrincipalInfo{Tenant: "acme"}, "has no ID"},
	} {
		f := &failedTest{TB: t}
		func() {
			defer func() { _ = recover() }()
			SignedIn(f, tc.info)
		}()
		if !strings.Contains(f.said, tc.want) || (tc.want == "") != (f.said == "") {
			t.Errorf("%s: failed with %q, want %q", name, f.said, tc.want)
		}
	}
}
