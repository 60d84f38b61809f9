package casbinrules

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/casbin/govaluate"
)

// probe looks for a model that lets somebody no rule names do something with
// an empty policy, or that fails at every request (H01).
func (s *schema) probe(c *settings) error {
	if s.casbinOnly != "" {
		return nil // which with an empty policy may be an error of Casbin's
	}
	// The functions of options are not called, and would judge no rule here.
	functions := map[string]govaluate.ExpressionFunction{}
	for name := range c.functions {
		functions[name] = func(...any) (any, error) { return false, nil }
	}
	e, err := newEnforcerEngine(s, nil, newGraphs(s, nil, c), functions)
	if err != nil {
		return fmt.Errorf("casbin: %s", firstLine(err))
	}
	q := question{subject: nobody, tenant: nobody, object: "/", action: "GET", attributes: make([]typedValue, len(s.attributes))}
	for i := range q.attributes {
		q.attributes[i].text = nobody + strconv.Itoa(i) // none equals another, so that nobody owns anything
	}
	a, err := e.decide(&q)
	switch {
	case err != nil && s.calls("ipMatch"): // which fails at an empty field
	case err != nil:
		s.file.report(s.file.at["m"], codeModelMatcher, "", "the matcher fails: %s", firstLine(err))
	case a.allowed && !s.file.has(codeModelOpen):
		s.file.report(s.file.at["m"], codeModelOpen, "compare the request with fields of the policy", "with an empty policy the model lets anybody in")
	}
	return nil
}

// calls reports whether the matcher calls a function.
func (s *schema) calls(name string) bool {
	return slices.ContainsFunc(calls(s.matcherTokens), func(c call) bool { return c.name == name })
}

// has reports whether something with this code has been found.
func (f *modelFile) has(code string) bool {
	return slices.ContainsFunc(f.findings, func(found Finding) bool { return found.Code == code })
}
