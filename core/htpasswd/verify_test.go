package htpasswd

import (
	"errors"
	"fmt"
	"strings"
	"sync"
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

// C08: what matters is bcrypt's rounds, so they are counted and not timed.
func TestEveryRefusalCostsTheSame(t *testing.T) {
	f := mustParse(t, fmt.Sprintf("four:%s\nfive:%s\nseven:%s\n",
		hashOf(t, "secret", 4), hashOf(t, "secret", 5), hashOf(t, "secret", 7)))
	rounds := 0
	f.compare = func(hash, password []byte) error {
		cost, err := bcrypt.Cost(hash)
		if err != nil {
			t.Errorf("C08: placeholder %q is no bcrypt hash: %v", hash, err)
		}
		err = bcrypt.CompareHashAndPassword(hash, password)
		if err != nil && !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
			t.Errorf("C08: comparing with %q did no work: %v", hash, err)
		}
		rounds += 1 << cost
		return err
	}
	long := strings.Repeat("x", 100)
	for _, c := range []struct {
		user, password string
		want           int
	}{
		{"nobody", "wrong", 1 << 7},
		{"four", "wrong", 1 << 7},
		{"five", "wrong", 1 << 7},
		{"seven", "wrong", 1 << 7},
		{"nobody", long, 1 << 7},
		{"four", long, 1 << 7},
		{"seven", long, 1 << 7},
		{"four", "secret", 1 << 4},
		{"seven", "secret", 1 << 7},
	} {
		rounds = 0
		_, _ = f.VerifyPassword(t.Context(), c.user, c.password)
		if rounds != c.want {
			t.Errorf("C08: %s with %.10s: %d rounds, want %d", c.user, c.password, rounds, c.want)
		}
	}
}

// The placeholder is made of a user's hash; its password must open nothing.
func TestPasswordOfThePlaceholderIsNoMasterKey(t *testing.T) {
	f := mustParse(t, fmt.Sprintf("low:%s\nhigh:%s\n", hashOf(t, "one", 4), hashOf(t, "two", 5)))
	for _, user := range []string{"nobody", "low"} {
		if p, err := f.VerifyPassword(t.Context(), user, "two"); p != nil || err == nil {
			t.Errorf("%s got in with the password of high", user)
		}
	}
}

func TestFailingComparisonIsNoWrongPassword(t *testing.T) {
	f := mustParse(t, "alice:"+hashOf(t, "secret"))
	broken := errors.New("broken")
	f.compare = func([]byte, []byte) error { return broken }
	_, err := f.VerifyPassword(t.Context(), "alice", "secret")
	var internal *core.InternalError
	if !errors.As(err, &internal) || !errors.Is(err, broken) || errors.Is(err, basic.ErrWrongPassword) {
		t.Errorf("error %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	f := mustParse(t, "alice:"+hashOf(t, "secret"), Concurrency(4))
	other := mustParse(t, "alice:"+hashOf(t, "secret")+"\nbob:"+hashOf(t, "secret")).table.Load()
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if i == 8 {
				f.table.Store(other)
			}
			if _, err := f.VerifyPassword(t.Context(), "alice", "secret"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if _, err := f.VerifyPassword(t.Context(), "bob", "secret"); err != nil {
		t.Errorf("the table was swapped and bob is %v", err)
	}
}
