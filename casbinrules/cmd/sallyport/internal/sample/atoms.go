package sample

import (
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// Limits of the search: states explored, and kinds of text found.
const (
	maxStates = 40_000
	maxKinds  = 4_000
)

// Space is the set of texts that a request field can hold.
type Space struct {
	// Patterns are the patterns that the field is compared with.
	Patterns []casbinrules.Pattern
	// Distinguish are additional regular expressions that distinguish texts. Valid is a regular
	// expression for the texts that occur in requests; "" for all texts.
	Distinguish []string
	Valid       string
}

// Complete extends texts until it contains one text of each kind, where two texts are of
// the same kind if they match the same patterns. missed are the patterns for which this
// cannot be guaranteed: those that are not regular languages, or all of them if there are
// too many kinds.
//
// If no condition involves two fields, trying every kind of each field covers every
// request.
func (s Space) Complete(texts []string) (all []string, missed []casbinrules.Pattern) {
	m := &product{seen: map[string]bool{}, literals: []node{{}}}
	for _, p := range s.Patterns {
		if isLiteral(p) {
			m.addLiteral(p.Text)
			continue
		}
		expr, cut, exact := expression(p)
		a, err := newAutomaton(expr, cut)
		if !exact || err != nil {
			missed = append(missed, p)
			continue
		}
		m.parts, m.patterns = append(m.parts, a), append(m.patterns, p)
	}
	for _, expr := range append(slices.Clone(s.Distinguish), s.Valid) {
		a, err := newAutomaton(expr, false)
		if err != nil {
			return texts, s.Patterns
		}
		m.parts = append(m.parts, a)
	}
	m.chooseAlphabet()
	for _, text := range texts {
		if kind, valid := m.kindOf(text); valid {
			m.seen[kind] = true
		}
	}
	found, complete := m.explore()
	if !complete {
		return append(texts, found...), s.Patterns
	}
	all = slices.Clone(texts)
	for _, text := range found {
		all = append(all, text)
		missed = m.addDisproved(text, missed)
	}
	return all, missed
}

// product runs the automata of all patterns in parallel, as their product. The last
// automaton is that of valid texts.
type product struct {
	parts    []*automaton
	patterns []casbinrules.Pattern
	// literals holds the patterns that match exactly one text, as a trie over runes; the
	// first node is the root.
	literals []node
	alphabet []rune
	seen     map[string]bool // kinds of texts found
}

// node is a trie node: a prefix shared by literals.
type node struct {
	next map[rune]int32
	end  bool
}

// noLiteral is the trie position of a text that is not a prefix of any literal.
const noLiteral = -1

func (m *product) addLiteral(text string) {
	at := int32(0)
	for _, r := range text {
		if m.literals[at].next == nil {
			m.literals[at].next = map[rune]int32{}
		}
		next, ok := m.literals[at].next[r]
		if !ok {
			m.literals = append(m.literals, node{})
			next = int32(len(m.literals) - 1)
			m.literals[at].next[r] = next
		}
		at = next
	}
	m.literals[at].end = true
}

func (m *product) follow(at int32, r rune) int32 {
	if at != noLiteral {
		if next, ok := m.literals[at].next[r]; ok {
			return next
		}
	}
	return noLiteral
}

// literal returns the part of a kind that identifies the literal at a trie position.
func (m *product) literal(at int32) string {
	if at != noLiteral && m.literals[at].end {
		return "=" + strconv.Itoa(int(at))
	}
	return ""
}

// addDisproved adds to missed the patterns for which Casbin's result for text differs from
// that of their automaton.
func (m *product) addDisproved(text string, missed []casbinrules.Pattern) []casbinrules.Pattern {
	kind, _ := m.kindOf(text)
	for i, p := range m.patterns {
		if (kind[i] == '1') != p.Matches(text) && !slices.Contains(missed, p) {
			missed = append(missed, p)
		}
	}
	return missed
}

// preferredRunes are the preferred runes for generated texts.
const preferredRunes = "samplexyz0123456789-SAMPLEXYZ"

// chooseAlphabet picks one representative of each class of runes that no automaton
// distinguishes.
func (m *product) chooseAlphabet() {
	bounds := map[rune]bool{0: true, '/': true, '0': true}
	for _, a := range m.parts {
		a.addBoundaries(bounds)
	}
	inLiteral := map[rune]bool{}
	for _, n := range m.literals {
		for r := range n.next {
			bounds[r], inLiteral[r] = true, true
		}
	}
	candidates := []rune(preferredRunes)
	for r := range bounds {
		candidates = append(candidates, r)
	}
	slices.Sort(candidates[len(preferredRunes):])
	known := map[string]bool{}
	for _, r := range candidates {
		if r > unicode.MaxRune || r < ' ' || r == 0x7f { // paths contain no control characters
			continue
		}
		key := m.runeClass(r)
		if inLiteral[r] {
			key += string(r)
		}
		if !known[key] {
			known[key] = true
			m.alphabet = append(m.alphabet, r)
		}
	}
}

// runeClass returns a text that is equal for runes that no automaton distinguishes.
func (m *product) runeClass(r rune) string {
	var b strings.Builder
	b.WriteRune(kindOf(r))
	for _, a := range m.parts {
		if a.cut && r == '?' {
			b.WriteByte('?')
		}
		for i := range a.prog.Inst {
			if inst := &a.prog.Inst[i]; inst.Op >= syntax.InstRune {
				if inst.MatchRune(r) {
					b.WriteByte('1')
				} else {
					b.WriteByte('0')
				}
			}
		}
	}
	return b.String()
}

// kindOf returns which automata accept a text, as a string of ones and zeros.
func (m *product) kindOf(text string) (kind string, valid bool) {
	states := m.start()
	literal := len(m.parts)
	for _, r := range text {
		states[literal] = m.follow(states[literal], r)
	}
	for i, a := range m.parts {
		for _, r := range text {
			if states[i] > stateMatched {
				states[i] = int32(a.follow(int(states[i]), r))
			}
		}
	}
	return m.kind(states)
}

// start returns the state before any text: that of each automaton and, last, the trie
// position.
func (m *product) start() []int32 {
	states := make([]int32, len(m.parts)+1)
	for i := range m.parts {
		states[i] = stateStart
	}
	return states
}

// kind returns the kind of the texts that lead to a state.
func (m *product) kind(states []int32) (kind string, valid bool) {
	b := make([]byte, len(m.parts))
	for i, a := range m.parts {
		b[i] = '0'
		if a.states[states[i]].accepts {
			b[i] = '1'
		}
	}
	return string(b) + m.literal(states[len(m.parts)]), b[len(b)-1] == '1'
}

// place is a state of the product automaton, with the path that leads to it.
type place struct {
	states []int32
	from   int
	by     rune
}

// explore searches all texts breadth-first, and returns one text of each kind not seen
// before. complete is false if a limit was reached.
func (m *product) explore() (found []string, complete bool) {
	start := m.start()
	places := []place{{states: start, from: -1}}
	known := map[string]bool{key(start): true}
	buffer := make([]int32, len(start))
	for at := 0; at < len(places); at++ {
		if text, fresh := m.record(places, at); fresh {
			found = append(found, text)
		}
		if len(places) > maxStates || len(m.seen) > maxKinds {
			return found, false
		}
		for index, r := range m.alphabet {
			for i, a := range m.parts {
				buffer[i] = int32(a.step(int(places[at].states[i]), index, len(m.alphabet), r))
			}
			if buffer[len(m.parts)-1] == stateDead {
				continue
			}
			buffer[len(m.parts)] = m.follow(places[at].states[len(m.parts)], r)
			if k := key(buffer); !known[k] {
				known[k] = true
				places = append(places, place{slices.Clone(buffer), at, r})
			}
		}
	}
	return found, true
}

func (m *product) record(places []place, at int) (text string, fresh bool) {
	kind, valid := m.kind(places[at].states)
	if !valid || m.seen[kind] {
		return "", false
	}
	m.seen[kind] = true
	var runes []rune
	for ; places[at].from >= 0; at = places[at].from {
		runes = append(runes, places[at].by)
	}
	slices.Reverse(runes)
	return string(runes), true
}

// key returns a map key for a state of the product.
func key(states []int32) string {
	b := make([]byte, 0, 4*len(states))
	for _, s := range states {
		b = append(b, byte(s), byte(s>>8), byte(s>>16), byte(s>>24))
	}
	return string(b)
}
