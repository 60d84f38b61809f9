package sample

import (
	"regexp/syntax"
	"slices"
	"strconv"
	"unicode"
)

// automaton decides a regular expression rune by rune, with the same result as
// regexp.MatchString. Its states are created on demand.
type automaton struct {
	prog *syntax.Prog
	// anchored reports whether a match must begin at the beginning of the text.
	anchored bool
	// cut reports whether everything from the first question mark on is ignored.
	cut    bool
	states []autoState
	byKey  map[string]int
}

// autoState is a DFA state: the live threads, and the previous rune. Its transitions are
// indexed by the alphabet, with -1 for those not computed yet.
type autoState struct {
	threads []uint32
	before  rune
	next    []int
	accepts bool
}

// The states that no input leaves.
const (
	stateDead = iota
	stateMatched
	stateStart
)

func newAutomaton(expr string, cut bool) (*automaton, error) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, err
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return nil, err
	}
	a := &automaton{prog: prog, cut: cut, byKey: map[string]int{}, anchored: prog.StartCond()&syntax.EmptyBeginText != 0}
	a.states = []autoState{{}, {accepts: true}, {before: -1}}
	a.states[stateStart].accepts = a.matchesAt(nil, -1, -1)
	return a, nil
}

// closure returns the instructions reachable between two runes from the threads and from a
// new thread, without those that consume no input.
func (a *automaton) closure(threads []uint32, before, after rune) (reached []uint32, matched bool) {
	context := syntax.EmptyOpContext(before, after)
	seen := make([]bool, len(a.prog.Inst))
	var visit func(pc uint32)
	visit = func(pc uint32) {
		if seen[pc] {
			return
		}
		seen[pc] = true
		switch inst := &a.prog.Inst[pc]; inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			visit(inst.Out)
			visit(inst.Arg)
		case syntax.InstCapture, syntax.InstNop:
			visit(inst.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(inst.Arg)&^context == 0 {
				visit(inst.Out)
			}
		case syntax.InstMatch:
			matched = true
		case syntax.InstFail:
		default:
			reached = append(reached, pc)
		}
	}
	for _, pc := range threads {
		visit(pc)
	}
	if before < 0 || !a.anchored {
		visit(uint32(a.prog.Start))
	}
	return reached, matched
}

func (a *automaton) matchesAt(threads []uint32, before, after rune) bool {
	_, matched := a.closure(threads, before, after)
	return matched
}

// step returns the state after rune r, which has the given index in an alphabet of size
// runes.
func (a *automaton) step(state, index, size int, r rune) int {
	if state <= stateMatched {
		return state
	}
	if a.states[state].next == nil {
		a.states[state].next = slices.Repeat([]int{-1}, size)
	}
	if next := a.states[state].next[index]; next >= 0 {
		return next
	}
	next := a.follow(state, r)
	a.states[state].next[index] = next
	return next
}

func (a *automaton) follow(state int, r rune) int {
	s := &a.states[state]
	if a.cut && r == '?' {
		if s.accepts {
			return stateMatched
		}
		return stateDead
	}
	reached, matched := a.closure(s.threads, s.before, r)
	if matched {
		return stateMatched
	}
	var threads []uint32
	for _, pc := range reached {
		if inst := &a.prog.Inst[pc]; inst.MatchRune(r) && !slices.Contains(threads, inst.Out) {
			threads = append(threads, inst.Out)
		}
	}
	if len(threads) == 0 && a.anchored {
		return stateDead
	}
	slices.Sort(threads)
	before := kindOf(r)
	key := string(before)
	for _, pc := range threads {
		key += "," + strconv.Itoa(int(pc))
	}
	if known, ok := a.byKey[key]; ok {
		return known
	}
	a.states = append(a.states, autoState{threads: threads, before: before, accepts: a.matchesAt(threads, before, -1)})
	a.byKey[key] = len(a.states) - 1
	return len(a.states) - 1
}

// kindOf maps runes that are equivalent as context for what follows to one representative.
func kindOf(r rune) rune {
	switch {
	case r == '\n':
		return '\n'
	case syntax.IsWordChar(r):
		return 'a'
	}
	return '-'
}

// addBoundaries adds to bounds the starts of the rune ranges that the automaton distinguishes.
func (a *automaton) addBoundaries(bounds map[rune]bool) {
	add := func(from, to rune) { bounds[from], bounds[to+1] = true, true }
	for i := range a.prog.Inst {
		inst := &a.prog.Inst[i]
		switch inst.Op {
		case syntax.InstRune, syntax.InstRune1:
			if len(inst.Rune) == 1 {
				first := inst.Rune[0]
				add(first, first)
				for r := unicode.SimpleFold(first); r != first && syntax.Flags(inst.Arg)&syntax.FoldCase != 0; r = unicode.SimpleFold(r) {
					add(r, r)
				}
				continue
			}
			for j := 0; j+1 < len(inst.Rune); j += 2 {
				add(inst.Rune[j], inst.Rune[j+1])
			}
		case syntax.InstRuneAnyNotNL:
			add('\n', '\n')
		case syntax.InstEmptyWidth:
			add('\n', '\n')
			add('0', '9')
			add('A', 'Z')
			add('_', '_')
			add('a', 'z')
		}
	}
	if a.cut {
		add('?', '?')
	}
}
