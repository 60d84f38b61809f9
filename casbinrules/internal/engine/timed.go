package engine

import (
	"slices"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// timedReach is the reach of a name whose roles change with time. It caches the last
// one for as long as the graph returns the same closure.
type timedReach struct{ last atomic.Pointer[timedNumbers] }

// timedNumbers are the subject numbers that a name stands for with the roles of a
// closure.
type timedNumbers struct {
	of        *policy.Closure
	all, tail []int32 // sorted
}

func (x *subjectIndex) addTimed(p policy.Pair) {
	if x.timed == nil {
		x.timed = map[policy.Pair]*timedReach{}
	}
	x.timed[p] = &timedReach{}
}

func (t *timedReach) append(sets [][]int32, x *subjectIndex, p policy.Pair, now policy.Moment, tail bool) [][]int32 {
	c := x.graph.At(now, p)
	n := t.last.Load()
	if n == nil || n.of != c {
		n = &timedNumbers{of: c}
		n.all, n.tail = x.reached(p.Tenant, c, x.own(p))
		slices.Sort(n.all)
		slices.Sort(n.tail)
		t.last.Store(n)
	}
	numbers := n.all
	if tail {
		numbers = n.tail
	}
	return appendSet(sets, numbers)
}
