package pattern

// Trie holds values by the segments of their patterns. The zero Trie is empty.
//
// It is for patterns that are looked up once, when a policy is checked. Requests
// are decided from a flat table (texttable), which a policy of a million rules
// needs.
type Trie[T any] struct {
	next map[string]*Trie[T]
	one  *Trie[T] // for any one segment
	// Ends is the value for patterns that end here, Rests that for patterns that match
	// anything that follows.
	Ends, Rests T
}

// Literal returns the place where patterns continue after a literal segment.
func (t *Trie[T]) Literal(text string) *Trie[T] {
	if t.next == nil {
		t.next = map[string]*Trie[T]{}
	}
	if t.next[text] == nil {
		t.next[text] = &Trie[T]{}
	}
	return t.next[text]
}

// One returns the place where patterns continue after any one segment.
func (t *Trie[T]) One() *Trie[T] {
	if t.one == nil {
		t.one = &Trie[T]{}
	}
	return t.one
}

// At returns the value for a pattern of these segments, none of which is [Other].
func (t *Trie[T]) At(segments []Segment) *T {
	for _, s := range segments {
		switch s.Kind {
		case One:
			t = t.One()
		case Rest:
			return &t.Rests
		default:
			t = t.Literal(s.Text)
		}
	}
	return &t.Ends
}

// Covering yields the values for patterns that match everything that one with these
// segments matches, and nil once it has looked at most places. It returns false if
// yield did.
func (t *Trie[T]) Covering(segments []Segment, most int, yield func(*T) bool) bool {
	return t.covering(segments, &most, yield)
}

func (t *Trie[T]) covering(segments []Segment, left *int, yield func(*T) bool) bool {
	if *left == 0 {
		yield(nil)
		return false
	}
	*left--
	if len(segments) == 0 {
		return yield(&t.Ends)
	}
	if !yield(&t.Rests) {
		return false
	}
	s := segments[0]
	if s.Kind == Literal {
		if next := t.next[s.Text]; next != nil && !next.covering(segments[1:], left, yield) {
			return false
		}
	}
	if t.one != nil && (s.Kind == One || s.Kind == Literal && s.Text != "") {
		return t.one.covering(segments[1:], left, yield)
	}
	return true
}

// Overlapping yields the values for patterns that match something that one with
// these segments matches, some of them more than once.
func (t *Trie[T]) Overlapping(segments []Segment, yield func(*T)) {
	yield(&t.Rests)
	if len(segments) == 0 {
		yield(&t.Ends)
		return
	}
	left := segments[1:]
	switch s := segments[0]; s.Kind {
	case Literal:
		if next := t.next[s.Text]; next != nil {
			next.Overlapping(left, yield)
		}
	case Rest:
		yield(&t.Ends)
		left = segments
		fallthrough
	default:
		for _, next := range t.next {
			next.Overlapping(left, yield)
		}
	}
	if t.one != nil {
		t.one.Overlapping(left, yield)
	}
}
