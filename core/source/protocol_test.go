package source_test

import "testing"

// This is a model of the protocol, small enough to visit each of its states: two editors,
// an instance that loads in steps, and a network that loses, delays and repeats messages.
// The test breaks each rule of the protocol in turn, and requires that something goes
// wrong.

// rules are the rules of the protocol.
type rules struct {
	compareAndSwap bool // publish only on the revision that was read
	readAgain      bool // read at each connection
	poll           bool // poll
	trustHints     bool // broken: trust the revision in a notification
	wholeLoad      bool // read content of one revision, and apply it in one step
	noStepBack     bool // refuse a revision older than one seen before
	compareEdits   bool // compare the result of an edit with the store's hash
}

var protocol = rules{compareAndSwap: true, readAgain: true, poll: true, wholeLoad: true, noStepBack: true, compareEdits: true}

const (
	editors  = 2
	maxEdits = 3
)

// state is a state of the whole system, comparable so that it can be a key.
type state struct {
	newest  uint8          // revision of the store
	edits   uint8          // number of revisions made
	lost    bool           // an edit was overwritten by an editor who had not read it
	base    [editors]uint8 // revision each editor has read; 0 for none
	lagging uint8          // revision at a replica
	up      bool           // the connection for notifications is up
	hint    uint8          // revision in the notification under way; 0 for none
	forged  bool           // its edit is wrong
	looking bool           // the instance is about to read
	loading uint8          // first half read, of two; 0 for none
	known   uint8          // newest revision seen
	inForce [2]uint8       // revisions of the two halves in force
	wrong   uint8          // revision that a wrong edit claims to lead to; 0 for none
}

// next returns the states that one step leads to. Steps of the environment, edits and
// faults, may never happen; the others happen eventually.
func (r rules) next(s state) (progress, environment []state) {
	for i := range editors {
		if s.base[i] == 0 {
			n := s
			n.base[i] = s.newest
			environment = append(environment, n)
			continue
		}
		if s.edits == maxEdits {
			continue
		}
		n := s
		n.base[i] = 0
		if s.base[i] == s.newest || !r.compareAndSwap {
			n.lost = n.lost || s.base[i] != s.newest
			n.newest, n.edits = s.newest+1, s.edits+1
			if s.up {
				n.hint, n.forged = n.newest, false
			}
		}
		environment = append(environment, n)
	}
	if s.up { // the connection is cut, and pending notifications are lost
		n := s
		n.up, n.hint, n.forged = false, 0, false
		environment = append(environment, n)
	}
	if s.hint != 0 { // a notification is lost
		n := s
		n.hint, n.forged = 0, false
		environment = append(environment, n)
	}
	for r := uint8(1); s.up && r <= s.newest; r++ { // a notification is late, repeated or forged
		n := s
		n.hint, n.forged = r, false
		environment = append(environment, n)
		if r > s.known { // others' edits are lost
			n.forged = true
			environment = append(environment, n)
		}
	}
	if s.lagging < s.newest { // a replica catches up
		n := s
		n.lagging++
		progress = append(progress, n)
	}
	return append(progress, r.instance(s)...), environment
}

// instance returns the steps of an instance.
func (r rules) instance(s state) (steps []state) {
	if !s.up {
		n := s
		n.up, n.looking = true, s.looking || r.readAgain
		steps = append(steps, n)
	}
	if s.hint != 0 {
		n := s
		n.hint, n.forged = 0, false
		if s.forged && s.hint > s.known {
			n.wrong = s.hint
		}
		if r.trustHints {
			n.known = s.hint
			n.inForce = [2]uint8{s.hint, s.hint}
		} else {
			n.looking = true
		}
		steps = append(steps, n)
	}
	if r.poll && !s.looking && s.loading == 0 {
		n := s
		n.looking = true
		steps = append(steps, n)
	}
	if s.looking {
		for _, shown := range []uint8{s.newest, s.lagging} { // the store, or a replica
			n := s
			n.looking = false
			switch {
			case shown < s.known && r.noStepBack, shown == s.known:
			case shown == s.wrong && !r.compareEdits: // its addition is new, and the rest is not
				n.known, n.wrong, n.inForce[0] = shown, 0, shown
			case r.wholeLoad:
				n.known, n.wrong, n.inForce = shown, 0, [2]uint8{shown, shown}
			default: // half of it now, the rest later
				n.known, n.loading, n.inForce[0] = shown, shown, shown
			}
			steps = append(steps, n)
		}
	}
	if s.loading != 0 {
		n := s
		n.loading, n.inForce[1] = 0, s.newest
		steps = append(steps, n)
	}
	return steps
}

// explore visits all states and returns what can go wrong.
func (r rules) explore() (faults map[string]bool, visited int) {
	first := state{newest: 1, lagging: 1, known: 1, inForce: [2]uint8{1, 1}, up: true}
	faults = map[string]bool{}
	seen, todo := map[state]bool{first: true}, []state{first}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if s.lost {
			faults["an edit is lost"] = true
		}
		if s.inForce[0] != s.inForce[1] {
			faults["a decision mixes two revisions"] = true
		}
		if !r.catchesUp(s) {
			faults["an instance is behind for ever"] = true
		}
		progress, environment := r.next(s)
		for _, n := range append(progress, environment...) {
			if n.inForce[0] < s.inForce[0] {
				faults["an instance goes back to an older revision"] = true
			}
			if !seen[n] {
				seen[n] = true
				todo = append(todo, n)
			}
		}
	}
	return faults, len(seen)
}

// catchesUp reports whether an instance that starts in s always reaches the newest
// revision if no edits or faults follow: no reachable state makes that impossible.
func (r rules) catchesUp(s state) bool {
	reached, todo := map[state]bool{s: true}, []state{s}
	before := map[state][]state{}
	var done []state
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if at.inForce == [2]uint8{at.newest, at.newest} {
			done = append(done, at)
		}
		progress, _ := r.next(at)
		for _, n := range progress {
			before[n] = append(before[n], at)
			if !reached[n] {
				reached[n] = true
				todo = append(todo, n)
			}
		}
	}
	can := map[state]bool{}
	for len(done) > 0 {
		at := done[len(done)-1]
		done = done[:len(done)-1]
		if !can[at] {
			can[at] = true
			done = append(done, before[at]...)
		}
	}
	return len(can) == len(reached)
}

// TestProtocol visits every state of the model: with all rules nothing goes wrong, and
// without any one of them something does.
func TestProtocol(t *testing.T) {
	t.Parallel()
	faults, visited := protocol.explore()
	if len(faults) > 0 || visited < 1000 {
		t.Errorf("by the rules: %v in %d states", faults, visited)
	}
	for name, tt := range map[string]struct {
		rules func(*rules)
		want  string
	}{
		"without compare and swap":       {func(r *rules) { r.compareAndSwap = false }, "an edit is lost"},
		"without poll and reading again": {func(r *rules) { r.poll, r.readAgain = false, false }, "an instance is behind for ever"},
		"without a poll":                 {func(r *rules) { r.poll = false }, "an instance is behind for ever"},
		"loading in two steps":           {func(r *rules) { r.wholeLoad = false }, "a decision mixes two revisions"},
		"trusting notifications":         {func(r *rules) { r.trustHints = true }, "an instance goes back to an older revision"},
		"trusting edits":                 {func(r *rules) { r.compareEdits = false }, "a decision mixes two revisions"},
		"taking older revisions":         {func(r *rules) { r.noStepBack = false }, "an instance goes back to an older revision"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := protocol
			tt.rules(&broken)
			if faults, visited := broken.explore(); !faults[tt.want] {
				t.Errorf("%v in %d states, want that %s", faults, visited, tt.want)
			}
		})
	}
}
