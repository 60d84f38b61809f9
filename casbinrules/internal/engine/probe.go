package engine

import (
	"fmt"
	"strconv"

	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// Probe looks for a model that lets somebody no rule names do something with
// an empty policy, or that fails at every request (H01).
func Probe(s *model.Schema, c *model.Settings) error {
	if s.CasbinOnly != "" {
		return nil // which with an empty policy may be an error of Casbin's
	}
	// The functions of options are not called: there is no rule to call them for.
	functions := map[string]govaluate.ExpressionFunction{}
	for name := range c.Functions {
		functions[name] = func(...any) (any, error) { return false, nil }
	}
	e, err := newEnforcerEngine(s, nil, policy.NewGraphs(s, nil, c), functions)
	if err != nil {
		return fmt.Errorf("casbin: %s", model.FirstLine(err))
	}
	q := Request{Subject: Unmatchable, Tenant: Unmatchable, Object: "/", Action: "GET", Attributes: make([]model.Value, len(s.Attributes))}
	for i := range q.Attributes {
		q.Attributes[i].Text = Unmatchable + strconv.Itoa(i) // none equals another, so that nobody owns anything
	}
	a, err := e.Decide(&q)
	switch {
	case err != nil && s.Calls("ipMatch"): // which fails at an empty field
	case err != nil:
		s.File.Report(s.File.At["m"], model.CodeModelMatcher, "", "the matcher fails: %s", model.FirstLine(err))
	case a.Allowed && !s.File.Has(model.CodeModelOpen):
		s.File.Report(s.File.At["m"], model.CodeModelOpen, "compare the request with fields of the policy", "with an empty policy the model lets anybody in")
	}
	return nil
}
