package casbinrules

import (
	"fmt"
	"slices"
)

// probe looks for a model that lets somebody no rule names do something with
// an empty policy, or that fails at every request (H01).
func (s *schema) probe(c *config) error {
	e, err := newCasbinEngine(s, nil, newGraphs(s, nil, c))
	if err != nil {
		return fmt.Errorf("casbin: %s", firstLine(err))
	}
	a, err := e.decide(&question{subject: nobody, tenant: nobody, object: "/", action: "GET"})
	switch {
	case err != nil:
		s.file.report(s.file.at["m"], codeModelMatcher, "", "the matcher fails: %s", firstLine(err))
	case a.allowed && !s.file.has(codeModelOpen):
		s.file.report(s.file.at["m"], codeModelOpen, "compare the request with fields of the policy", "with an empty policy the model lets anybody in")
	}
	return nil
}

// has reports whether something with this code has been found.
func (f *modelFile) has(code string) bool {
	return slices.ContainsFunc(f.findings, func(found Finding) bool { return found.Code == code })
}
