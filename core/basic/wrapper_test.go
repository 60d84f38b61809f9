package basic

import (
	"strings"
	"testing"
)

// directory is a store whose passwords change and whose users have spellings.
type directory struct {
	Verifier
	version uint64
}

func (d *directory) Version() uint64             { return d.version }
func (d *directory) Spelling(user string) string { return strings.ToLower(user) }

type (
	hiding  struct{ Verifier }
	showing struct{ Verifier }
	aging   struct{ Verifier }
)

func (s showing) Unwrap() Verifier { return s.Verifier }
func (aging) Version() uint64      { return 1 }

func TestNoWrapperHidesWhatAVerifierKnows(t *testing.T) {
	d := &directory{Verifier: &store{user: "alice", password: "secret"}, version: 1}
	for _, c := range []struct {
		says string
		v    Verifier
	}{{"Version", hiding{d}}, {"Version", &hiding{hiding{d}}}, {"Version", showing{hiding{d}}}, {"Spelling", aging{d}}} {
		for name, err := range map[string]error{"New": newError(c.v), "NewCache": cacheError(c.v)} {
			if err == nil || !strings.Contains(err.Error(), "hides this: give it a method "+c.says) {
				t.Errorf("%s of %T: %v", name, c.v, err)
			}
		}
	}
	a := mustNew(t, showing{showing{d}})
	if account, ok := a.Scheme().Attempt(&request{authorization: []string{"Basic " + encoded("ALICE:x")}}); account != "alice" || !ok {
		t.Errorf("account %q", account)
	}
	c := mustCache(t, showing{d})
	if d.version++; c.Version() != d.version {
		t.Errorf("version %d", c.Version())
	}
}

func newError(v Verifier) error   { _, err := New("r", v); return err }
func cacheError(v Verifier) error { _, err := NewCache(v); return err }
