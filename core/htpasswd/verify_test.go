package htpasswd

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
)

func TestVerifyPassword(t *testing.T) {
	long := strings.Repeat("x", 72)
	f := mustParse(t, fmt.Sprintf("alice:%s\nlong:%s\n", hashOf(t, "secret"), hashOf(t, long)))
	for _, c := range []struct {
		name, user, password string
		want                 error
	}{
		{"right", "alice", "secret", nil},
		{"wrong", "alice", "Secret", basic.ErrWrongPassword},
		{"beginning of the right one", "alice", "secre", basic.ErrWrongPassword},
		{"empty", "alice", "", basic.ErrWrongPassword},
		{"user in another letter case", "Alice", "secret", basic.ErrUnknownUser},
		{"unknown user", "bob", "secret", basic.ErrUnknownUser},
		{"C09 72 bytes", "long", long, nil},
		{"C09 73 bytes, of which bcrypt would compare the right 72", "long", long + "y", basic.ErrWrongPassword},
		{"C09 long password of an unknown user", "bob", long + "y", basic.ErrUnknownUser},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := f.VerifyPassword(t.Context(), c.user, c.password)
			if !errors.Is(err, c.want) || (p != nil) != (c.want == nil) {
				t.Errorf("%v, %v; want %v", p, err, c.want)
			}
		})
	}
}

// C08: what matters is the work, so that is counted and not timed: rounds of
// bcrypt, and hashes of each setting of argon2id.
func TestEveryRefusalCostsTheSame(t *testing.T) {
	light, heavy := argon2idOf("secret", 7168, 5, 1), argon2idOf("secret", 9216, 4, 2)
	bcrypts := fmt.Sprintf("four:%s\nfive:%s\nseven:%s\n", hashOf(t, "secret", 4), hashOf(t, "secret", 5), hashOf(t, "secret", 7))
	argon2ids := fmt.Sprintf("light:%s\nheavy:%s\nlight2:%s\n", light, heavy, light)
	const (
		short          = "wrong"
		light1, heavy1 = "m=7168,t=5,p=1 ", "m=9216,t=4,p=2 "
	)
	long := strings.Repeat("x", 100)
	for _, file := range []struct {
		name, text, refusal string
		users               []string
		success             map[string]string
	}{
		{"bcrypt", bcrypts, "rounds=128", []string{"four", "five", "seven"}, map[string]string{"four": "rounds=16", "seven": "rounds=128"}},
		{"argon2id", argon2ids, light1 + heavy1 + "rounds=0", []string{"light", "heavy", "light2"},
			map[string]string{"light": light1 + "rounds=0", "heavy": heavy1 + "rounds=0"}},
		{"both", bcrypts + argon2ids, light1 + heavy1 + "rounds=128", []string{"four", "five", "seven", "light", "heavy"},
			map[string]string{"four": "rounds=16", "light": light1 + "rounds=0"}},
	} {
		f := mustParse(t, file.text)
		w := work{t: t, shapes: map[shape]int{}}
		f.matches = w.count
		for _, user := range append(file.users, "nobody") {
			for _, password := range []string{short, long} {
				if _, err := f.VerifyPassword(t.Context(), user, password); err == nil {
					t.Errorf("%s: %s got in", file.name, user)
				}
				if got := w.done(); got != file.refusal {
					t.Errorf("C08: %s: refusing %s with %.10s: %s, want %s", file.name, user, password, got, file.refusal)
				}
			}
		}
		for user, want := range file.success {
			if _, err := f.VerifyPassword(t.Context(), user, "secret"); err != nil {
				t.Error(err)
			}
			if got := w.done(); got != want {
				t.Errorf("C08: %s: letting %s in: %s, want %s", file.name, user, got, want)
			}
		}
	}
}

// work counts the work of comparisons.
type work struct {
	t      *testing.T
	rounds int
	shapes map[shape]int
}

func (w *work) count(h *hash, password []byte) (bool, error) {
	if h.bcrypt() {
		if cost, err := bcrypt.Cost(h.text); err != nil || cost != h.cost {
			w.t.Errorf("C08: placeholder %q is no bcrypt hash of cost %d: %d, %v", h.text, h.cost, cost, err)
		}
		w.rounds += 1 << h.cost
	} else { // which always does its work, and takes long under the race detector
		w.shapes[h.shape]++
		return string(password) == "secret", nil
	}
	right, err := h.matches(password)
	if err != nil {
		w.t.Errorf("C08: comparing with %v did no work: %v", h, err)
	}
	return right, err
}

// done is the work since the last call.
func (w *work) done() string {
	var all []string
	for s, n := range w.shapes {
		all = append(all, strings.Repeat(fmt.Sprintf("m=%d,t=%d,p=%d ", s.memory, s.passes, s.threads), n))
	}
	slices.Sort(all)
	text := strings.Join(all, "") + fmt.Sprintf("rounds=%d", w.rounds)
	w.rounds = 0
	clear(w.shapes)
	return text
}

// The placeholders are users' hashes; their passwords must open nothing.
func TestPasswordsOfPlaceholdersAreNoMasterKeys(t *testing.T) {
	f := mustParse(t, fmt.Sprintf("low:%s\nhigh:%s\nargon:%s\n", hashOf(t, "one", 4), hashOf(t, "two", 5), argon2idOf("three", 7168, 5, 1)))
	for user, own := range map[string]string{"nobody": "", "low": "one", "high": "two", "argon": "three"} {
		for _, password := range []string{"one", "two", "three"} {
			p, err := f.VerifyPassword(t.Context(), user, password)
			if (p != nil) != (password == own) || (err == nil) != (password == own) {
				t.Errorf("%s with %s: %v, %v", user, password, p, err)
			}
		}
	}
}

func TestFailingComparisonIsNoWrongPassword(t *testing.T) {
	f := mustParse(t, "alice:"+hashOf(t, "secret"))
	broken := errors.New("broken")
	f.matches = func(*hash, []byte) (bool, error) { return false, broken }
	_, err := f.VerifyPassword(t.Context(), "alice", "secret")
	var internal *core.InternalError
	if !errors.As(err, &internal) || !errors.Is(err, broken) || errors.Is(err, basic.ErrWrongPassword) {
		t.Errorf("error %v", err)
	}
}
