// Package engine decides requests by a policy: from an index if it supports the model,
// otherwise with Casbin's enforcer.
package engine

import (
	"errors"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// engine decides requests by one policy. It is immutable and safe for concurrent
// use.
type engine interface {
	Decide(q *Request) (Answer, error)
}

// New returns the index of a policy, or Casbin's enforcer if the policy cannot be
// indexed; unindexed says why.
func New(s *model.Schema, rules policy.Rules, graphs map[string]*policy.Graph, c *model.Settings) (e engine, unindexed, err error) {
	if c.AsCasbin {
		unindexed = errors.New("WithCasbinSemantics (--as-casbin, casbin_semantics) leaves the policy to Casbin")
	} else if x, why := NewIndex(s, rules, graphs, c); why == nil {
		return x, nil, nil
	} else {
		unindexed = why
	}
	e, err = NewCasbinEngine(s, rules, graphs)
	return e, unindexed, err
}

var ErrEmptyPolicy = errors.New("the policy is empty")
