package policy

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/core"
)

// Moment determines which role links count: a time, and the results of the
// application's conditions, each evaluated once. It is empty if all links always
// count.
type Moment struct {
	Time       Instant
	evaluation *evaluation
}

// evaluation holds the results of the conditions evaluated so far, and the first
// failure.
type evaluation struct {
	ctx context.Context
	*results
	err error
}

type results struct {
	sync.Mutex
	of map[*condition]result
}

type result struct {
	ok  bool
	err error
}

// condition is one of the application's conditions for links of a kind, with the
// fields of their lines.
type condition struct {
	holds  model.LinkCondition
	kind   string
	fields []string
}

// NewMoment returns the present moment.
func NewMoment(ctx context.Context, c *model.Settings) Moment {
	m := Moment{Time: InstantOf(c.Now())}
	if len(c.LinkConditions) > 0 {
		m.evaluation = &evaluation{ctx: ctx, results: &results{of: map[*condition]result{}}}
	}
	return m
}

// Renewed returns the moment for a further decision, with the same results of
// conditions but without their failure.
func (m Moment) Renewed() Moment {
	if m.evaluation != nil {
		m.evaluation = &evaluation{ctx: m.evaluation.ctx, results: m.evaluation.results}
	}
	return m
}

// Err returns the first failure of a condition; a decision after a failure is
// invalid.
func (m Moment) Err() error {
	if m.evaluation == nil {
		return nil
	}
	return m.evaluation.err
}

// holds evaluates a condition. A condition that fails is false.
func (a *evaluation) holds(c *condition) bool {
	a.Lock()
	defer a.Unlock()
	got, known := a.of[c]
	if !known {
		got.ok, got.err = c.evaluate(a.ctx)
		a.of[c] = got
	}
	if got.err != nil && a.err == nil {
		a.err = got.err
	}
	return got.ok && got.err == nil
}

func (c *condition) evaluate(ctx context.Context) (ok bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			ok, err = false, &core.InternalError{Err: &core.PanicError{Value: v, Stack: debug.Stack()}}
		}
	}()
	if ok, err = c.holds(ctx, slices.Clone(c.fields)...); err != nil {
		return false, fmt.Errorf("condition of role links %s: %w", c.kind, err)
	}
	return ok, nil
}

// conditions are the conditions of the links of one kind.
type conditions struct {
	holds model.LinkCondition // nil if links have a start and an end
	kind  string
	width int                   // number of fields
	known map[string]*condition // by their fields
}

// of returns the condition of a link with these fields, or nil if the link always
// counts.
func (c *conditions) of(fields []string) *condition {
	always := true
	for _, f := range fields {
		always = always && f == unlimited
	}
	if always {
		return nil
	}
	key := fmt.Sprintf("%q", fields)
	made := c.known[key]
	if made == nil {
		made = &condition{c.holds, c.kind, fields}
		c.known[key] = made
	}
	return made
}
