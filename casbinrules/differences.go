package casbinrules

import (
	"context"
	"fmt"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// Differences tells which of many requests two policies may decide differently, for tools
// that compare policies: all others are matched by the same rules. It is about the
// policies in force when it was made and the role links that count then, and must not
// be used concurrently.
type Differences struct {
	of       [2]*Authorizer
	policies [2]*policyInForce
	now      policy.Moment
	found    *engine.Differences
	requests int
}

// Differences compares a with another policy, whose clock must be the same, for each of
// objects with each of actions. The error says why nothing can be told: the models or
// what options make of them differ, or one of them is left to Casbin.
func (a *Authorizer) Differences(ctx context.Context, other *Authorizer, objects []string, actions []Action) (*Differences, error) {
	d := &Differences{of: [2]*Authorizer{a, other}, requests: len(objects) * len(actions)}
	var settings [2]*model.Settings
	for side, a := range d.of {
		d.policies[side], settings[side] = a.current.Load(), &a.config.Settings
		for _, field := range d.policies[side].Schema.Attributes {
			if a.config.attributes[field] != nil && !slices.Contains(a.config.claimed, field) {
				return nil, fmt.Errorf("casbinrules: differences: the attribute %s may depend on the object", field)
			}
		}
	}
	asked := make([]engine.Asked, len(actions))
	for i, action := range actions {
		asked[i] = engine.Asked(action)
	}
	var err error
	d.now = d.policies[0].Now(ctx, settings[0])
	if d.found, err = engine.NewDifferences(&d.policies[0].Snapshot, &d.policies[1].Snapshot, settings, objects, asked); err != nil {
		return nil, fmt.Errorf("casbinrules: differences: %w", err)
	}
	return d, nil
}

// Of returns the requests of p, or of somebody without credentials for nil, that the two
// policies may decide differently, in ascending order: for each, the index of its object
// times the number of actions, plus the index of its action. The result must not be
// modified.
func (d *Differences) Of(p *core.Principal) []int32 {
	var of [2]engine.Questioner
	for side, a := range d.of {
		q, with, _ := a.question(d.policies[side], p, "", nil, Action{})
		if q.AttributeErr != nil || p == nil && a.config.Anonymous != d.of[0].config.Anonymous {
			all := make([]int32, d.requests)
			for i := range all {
				all[i] = int32(i)
			}
			return all
		}
		q.Now = d.now
		of[side] = engine.Questioner{Request: q, Roles: with}
	}
	return d.found.Of(of)
}
