package authtest

import (
	"errors"
	"maps"
	"slices"
	"testing"
)

// testCase is one case of the suite. Its name begins with the conformance items or
// invariants that it proves.
type testCase struct {
	name string
	run  func(*testing.T, Framework)
}

// group is a set of cases on one subject.
type group struct {
	name  string
	cases []testCase
}

// groups returns the cases that every adapter runs, in order: everything that depends on
// how a framework presents requests, finds routes and sends answers, and at least one case
// of each invariant and verdict. Promises that no framework can break are tested once, by
// this package's own tests.
func groups() []group {
	return []group{
		{"gates", gateCases},
		{"order", orderCases},
		{"tenants", tenantCases},
		{"denials", denialCases},
		{"refusals", refusalCases},
		{"requests", requestCases},
		{"challenges", challengeCases},
		{"credentials", credentialCases},
		{"bearer", bearerCases},
		{"stepup", stepUpCases},
		{"attempts", attemptCases},
		{"mtls", mtlsCases},
		{"crosssite", crossSiteCases},
		{"wrapping", wrappingCases},
		{"variants", variantCases},
		{"recheck", recheckCases},
		{"http2", http2Cases},
		{"conceal", concealCases},
		{"cors", corsCases},
		{"methods", methodCases},
		{"caching", cachingCases},
		{"bodies", bodyCases},
		{"failures", failureCases},
		{"events", eventCases},
		{"retention", retentionCases},
		{"bounds", boundCases},
		{"assembly", assemblyCases},
		{"audit", auditCases},
		{"resource", sorted(resourceCases)},
	}
}

// Run runs every case against f. Cases are independent and run in parallel.
//
// If a required field of f is missing, the test fails before the first case. Cases about
// features that f lacks, because HTTP2, LongLived, Form or NativeCode is not set, are
// skipped.
func Run(t *testing.T, f Framework) {
	if err := f.check(); err != nil {
		t.Fatal(err)
	}
	runGroups(t, f, groups())
}

func runGroups(t *testing.T, f Framework, groups []group) {
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, c := range g.cases {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					c.run(t, f)
				})
			}
		})
	}
}

// sorted converts a table of cases to a list sorted by name.
func sorted(cases map[string]func(*testing.T, Framework)) []testCase {
	var out []testCase
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		out = append(out, testCase{name, cases[name]})
	}
	return out
}

// check returns an error if a required field of f is missing.
func (f Framework) check() error {
	var errs []error
	for _, field := range []struct {
		missing bool
		text    string
	}{
		{f.Package == "", "Package is empty: name the package that panics when a gate cannot work"},
		{f.Serve == nil, "Serve is nil: it builds and serves an app"},
		{f.Native == nil, "Native is nil: it makes the framework's own handler of one of the suite's"},
		{len(f.Writers) == 0, "Writers is empty: list the framework's own ways to answer, such as a redirect"},
	} {
		if field.missing {
			errs = append(errs, errors.New("authtest: Framework."+field.text))
		}
	}
	return errors.Join(errs...)
}
