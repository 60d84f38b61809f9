package sample

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// Limits of the search: positions in all states explored, and kinds of text found.
const (
	maxPositions = 1_000_000
	maxKinds     = 4_000
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
	m := &product{seen: map[string]bool{}, literals: []node{{}}, inLiteral: map[rune]bool{}, classes: map[string]int{}, indexes: map[rune]int{}}
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
	literals  []node
	inLiteral map[rune]bool
	alphabet  []rune
	// classes are the indexes into alphabet plus one, by runeClass, and indexes those
	// of runes, as indexOf returns them.
	classes map[string]int
	indexes map[rune]int
	seen    map[string]bool // kinds of texts found
	trail   []reached       // through the last text of after
}

// reached is a rune of a text, with the positions after it.
type reached struct {
	rune
	live []position
}

// position is a state of one part. Most parts of a large policy are dead after a few
// runes, and have none.
type position struct{ part, state int32 }

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
	accepted := map[int]bool{}
	for _, at := range m.after(text) {
		accepted[int(at.part)] = m.accepts(at)
	}
	for i, p := range m.patterns {
		if accepted[i] != p.Matches(text) && !slices.Contains(missed, p) {
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
	for _, n := range m.literals {
		for r := range n.next {
			bounds[r], m.inLiteral[r] = true, true
		}
	}
	candidates := []rune(preferredRunes)
	for r := range bounds {
		candidates = append(candidates, r)
	}
	slices.Sort(candidates[len(preferredRunes):])
	for _, r := range candidates {
		if r > unicode.MaxRune || r < ' ' || r == 0x7f { // paths contain no control characters
			continue
		}
		if key := m.runeClass(r); m.classes[key] == 0 {
			m.alphabet = append(m.alphabet, r)
			m.classes[key] = len(m.alphabet)
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
	if m.inLiteral[r] {
		b.WriteRune(r)
	}
	return b.String()
}

// indexOf returns the index into alphabet of the rune that stands for r, or -1.
func (m *product) indexOf(r rune) int {
	index, known := m.indexes[r]
	if !known {
		index = m.classes[m.runeClass(r)] - 1
		m.indexes[r] = index
	}
	return index
}

// start returns the positions before any text.
func (m *product) start() []position {
	live := make([]position, len(m.parts))
	for i := range m.parts {
		live[i] = position{int32(i), stateStart}
	}
	return live
}

// step appends to next the positions after rune r, which has the given index, or -1, in the
// alphabet.
func (m *product) step(next, live []position, index int, r rune) []position {
	for _, at := range live {
		a, state := m.parts[at.part], stateMatched
		switch {
		case at.state == stateMatched:
		case index >= 0:
			state = a.step(int(at.state), index, len(m.alphabet), m.alphabet[index])
		default:
			state = a.follow(int(at.state), r)
		}
		if state != stateDead {
			next = append(next, position{at.part, int32(state)})
		}
	}
	return next
}

// after returns the positions after a text. Those of the beginning that it shares with
// the text before are not computed again.
func (m *product) after(text string) []position {
	live, n := m.start(), 0
	for _, r := range text {
		if n < len(m.trail) && m.trail[n].rune == r {
			live = m.trail[n].live
		} else {
			live = m.step(nil, live, m.indexOf(r), r)
			m.trail = append(m.trail[:n], reached{r, live})
		}
		n++
	}
	return live
}

func (m *product) accepts(at position) bool { return m.parts[at.part].states[at.state].accepts }

// kindOf returns the kind of a text.
func (m *product) kindOf(text string) (kind string, valid bool) {
	literal := int32(0)
	for _, r := range text {
		literal = m.follow(literal, r)
	}
	return m.kind(m.after(text), literal)
}

// kind returns which automata accept the texts that lead to a state, as a text.
func (m *product) kind(live []position, literal int32) (kind string, valid bool) {
	var b []byte
	last := -1
	for _, at := range live {
		if m.accepts(at) {
			last = int(at.part)
			b = binary.AppendUvarint(b, uint64(last))
		}
	}
	return string(b) + m.literal(literal), last == len(m.parts)-1
}

// place is a state of the product automaton, with the path that leads to it.
type place struct {
	live    []position
	literal int32 // position in the trie
	from    int
	by      rune
}

// explore searches all texts breadth-first, and returns one text of each kind not seen
// before. complete is false if a limit was reached.
func (m *product) explore() (found []string, complete bool) {
	start := place{live: m.start(), from: -1}
	places := []place{start}
	known := map[string]bool{string(start.appendKey(nil)): true}
	next, positions := place{}, 0
	var key []byte
	for at := 0; at < len(places); at++ {
		if text, fresh := m.record(places, at); fresh {
			found = append(found, text)
		}
		if positions > maxPositions || len(found) > maxKinds {
			return found, false
		}
		for index, r := range m.alphabet {
			next.live = m.step(next.live[:0], places[at].live, index, r)
			if n := len(next.live); n == 0 || int(next.live[n-1].part) != len(m.parts)-1 {
				continue // not a valid text, whatever follows
			}
			next.literal, next.from, next.by = m.follow(places[at].literal, r), at, r
			if key = next.appendKey(key[:0]); !known[string(key)] {
				known[string(key)] = true
				places = append(places, next)
				positions += len(next.live)
				next.live = nil
			}
		}
	}
	return found, true
}

func (m *product) record(places []place, at int) (text string, fresh bool) {
	kind, valid := m.kind(places[at].live, places[at].literal)
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

// appendKey appends a text that identifies a state of the product.
func (p *place) appendKey(key []byte) []byte {
	key = binary.AppendVarint(key, int64(p.literal))
	for _, at := range p.live {
		key = binary.AppendUvarint(binary.AppendUvarint(key, uint64(at.part)), uint64(at.state))
	}
	return key
}
