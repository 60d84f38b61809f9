package casbinrules

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// endingContext ends after it has been asked a number of times.
type endingContext struct {
	context.Context
	left, asked int
}

func (c *endingContext) Err() error {
	if c.asked++; c.asked > c.left {
		return context.DeadlineExceeded
	}
	return nil
}

// TestPatternsAreNotTriedWhenNobodyWaits: matching a long path against many patterns stops
// when the request's context ends, whatever was found so far.
func TestPatternsAreNotTriedWhenNobodyWaits(t *testing.T) {
	var policy strings.Builder
	policy.WriteString("p, erin, ^/, GET, allow\n")
	for i := range 30 {
		fmt.Fprintf(&policy, "p, erin, ^/(.+)/docs/(.+)/v%d$, GET, deny\n", i)
	}
	path := "/t/" + strings.Repeat("docs/", 200) + "v29"
	for name, matcher := range map[string]string{
		"object":    "g(r.sub, p.sub) && regexMatch(r.obj, p.obj) && r.act == p.act",
		"condition": "g(r.sub, p.sub) && r.act == p.act && (p.obj == '' || !(!regexMatch(r.obj, p.obj)))",
	} {
		m := ModelText("m.conf", modelText(plainRequest, "sub, obj, act, eft", "g = _, _", allowAndDeny, matcher))
		for engine, opts := range map[Engine][]Option{EngineIndex: nil, EngineCasbin: {WithCasbinSemantics()}} {
			a := open(t, m, policy.String(), opts...)
			if got := a.Status().Engine; got != engine {
				t.Fatalf("%s: decided by %s", name, got)
			}
			if d := decide(t, a, who(t, "erin"), to("GET", path)); d.Reason != ReasonDeniedByRule {
				t.Errorf("%s, %s: %+v", name, engine, d)
			}
			for _, left := range []int{1, 2, 5, 20} {
				ctx := &endingContext{Context: context.Background(), left: left}
				d, err := a.Authorize(ctx, who(t, "erin"), to("GET", path))
				if !errors.Is(err, context.DeadlineExceeded) || d.Allowed {
					t.Errorf("%s, %s, over after %d: %+v, %v", name, engine, left, d, err)
				}
			}
			short := &endingContext{Context: context.Background(), left: 1}
			if _, err := a.Authorize(short, who(t, "erin"), to("GET", "/t")); err != nil || short.asked != 1 {
				t.Errorf("%s, %s: a short path asks %d times: %v", name, engine, short.asked, err)
			}
		}
	}
}
