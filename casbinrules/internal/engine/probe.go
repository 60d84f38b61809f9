package engine

import (
	"fmt"
	"strconv"

	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// Probe reports a model that allows an unknown subject something with an empty
// policy, or that fails at every request (H01).
func Probe(s *model.Schema, c *model.Settings) error {
	if s.CasbinOnly != "" {
		return nil // an error with an empty policy may be Casbin's own
	}
	// The functions of options are not called: they may only expect arguments from
	// rules.
	functions := map[string]govaluate.ExpressionFunction{}
	for name := range c.Functions {
		functions[name] = func(...any) (any, error) { return false, nil }
	}
	e, err := newEnforcerEngine(s, policy.Rules{}, policy.NewGraphs(s, policy.Rules{}, c), functions)
	if err != nil {
		return fmt.Errorf("casbin: %s", model.FirstLine(err))
	}
	q := Request{Subject: Unmatchable, Tenant: Unmatchable, Object: "/", Action: "GET", Attributes: make([]model.Value, len(s.Attributes))}
	for i := range q.Attributes {
		q.Attributes[i].Text = Unmatchable + strconv.Itoa(i) // all different, so that nobody is an owner
	}
	a, err := e.Decide(&q)
	switch {
	case err != nil && s.Calls("ipMatch"): // ipMatch fails for an empty field
	case err != nil:
		s.File.Report(s.File.At["m"], model.CodeModelMatcher, "", "the matcher fails: %s", model.FirstLine(err))
	case a.Allowed && !s.File.Has(model.CodeModelOpen):
		s.File.Report(s.File.At["m"], model.CodeModelOpen, "compare the request with fields of the policy", "with an empty policy the model allows everybody")
	}
	return nil
}
