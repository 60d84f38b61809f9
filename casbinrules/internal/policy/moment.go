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

// Moment is by what it is judged whether role links count: by a time, and by what
// conditions of the application say. One moment asks each condition once. It is
// empty where all links count at any time.
type Moment struct {
	Time  Instant
	asked *asked
}

// asked are the conditions that questions have asked, and the failure of one.
type asked struct {
	ctx context.Context
	*answers
	err error
}

type answers struct {
	sync.Mutex
	of map[*condition]answer
}

type answer struct {
	ok  bool
	err error
}

// condition is one of the application's for links of a kind, with what their lines
// say.
type condition struct {
	holds  model.LinkCondition
	kind   string
	fields []string
}

// NewMoment is the moment that now is.
func NewMoment(ctx context.Context, c *model.Settings) Moment {
	m := Moment{Time: InstantOf(c.Now())}
	if len(c.LinkConditions) > 0 {
		m.asked = &asked{ctx: ctx, answers: &answers{of: map[*condition]answer{}}}
	}
	return m
}

// Again is the moment for another question, which conditions answer as before.
func (m Moment) Again() Moment {
	if m.asked != nil {
		m.asked = &asked{ctx: m.asked.ctx, answers: m.asked.answers}
	}
	return m
}

// Err is the failure of a condition since the moment began, so that there is no
// answer by it.
func (m Moment) Err() error {
	if m.asked == nil {
		return nil
	}
	return m.asked.err
}

// ask asks a condition. What fails does not hold.
func (a *asked) ask(c *condition) bool {
	a.Lock()
	defer a.Unlock()
	got, known := a.of[c]
	if !known {
		got.ok, got.err = c.ask(a.ctx)
		a.of[c] = got
	}
	if got.err != nil && a.err == nil {
		a.err = got.err
	}
	return got.ok && got.err == nil
}

func (c *condition) ask(ctx context.Context) (ok bool, err error) {
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

// conditions are those of the links of one kind.
type conditions struct {
	holds model.LinkCondition // nil where links have a start and an end
	kind  string
	width int                   // how many fields there are
	known map[string]*condition // by their fields
}

// of is that of a link with these fields, or nil for one that always counts.
func (c *conditions) of(fields []string) *condition {
	always := true
	for _, f := range fields {
		always = always && f == open
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
