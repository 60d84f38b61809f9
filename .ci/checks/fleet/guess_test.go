//go:build linux

package fleet_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/source/redis/redisstate"
	"github.com/sallyport-go/sallyport/core/source/redis/redistest"
)

const (
	// budget is how many guesses an address has at all instances together.
	budget = 20
	// guessesOfEach is how many it makes at each of them.
	guessesOfEach = 10
	guesserKind   = "guesses"
)

// guessing is what came of a limit on guesses that instances share.
type guessing struct {
	instances, passed int
	// failure is what the store adds to an attempt of who has failed before, and
	// success to one of who has not.
	failure, success time.Duration
}

// measureGuesses has an address guess at all instances at once, and looks what the
// store costs.
func measureGuesses(t *testing.T, instances, rounds int) *guessing {
	t.Helper()
	server := redistest.Start(t)
	all := startFleet(t, instances, assignment{Kind: guesserKind, URL: server.URL(), Name: "guesses"})
	a := all.account(t)
	if a.Requests != instances*guessesOfEach {
		t.Errorf("%d guesses were made, want %d", a.Requests, instances*guessesOfEach)
	}
	g := &guessing{instances: instances, passed: a.Passed}
	g.failure, g.success = costOfStore(t, server, rounds)
	return g
}

// check fails if more guesses passed than may, or fewer.
func (g *guessing) check(t *testing.T) {
	t.Helper()
	if g.passed < budget || g.passed > budget+g.instances {
		t.Errorf("%d guesses passed at %d instances, want %d and at most one more at each", g.passed, g.instances, budget)
	}
}

// limiterOf has an address fail so many times, counted in a store or, with nil, alone.
func limiterOf(store attempts.Store, burst int) (*attempts.Limiter, error) {
	opts := []attempts.Option{
		attempts.WithMaxWait(24 * time.Hour), attempts.WithAddressBudget(1, 24*time.Hour, burst), attempts.WithAccountBudget(1, 24*time.Hour, maxBurst),
	}
	if store != nil {
		opts = append(opts, attempts.WithStore(store, bytes.Repeat([]byte("k"), 32)), attempts.WithTimeout(5*time.Second))
	}
	return attempts.New(opts...)
}

const maxBurst = 65_535

func openState(url, name string) (*redisstate.State, error) {
	return redisstate.New(url, redisstate.WithName(name), redisstate.WithTimeout(min(authtest.TimeLimit(5*time.Second), 10*time.Second)))
}

// guesser is an instance that is guessed at once for each line of in: each guess is for
// another account, from one address.
func guesser(a assignment, in io.Reader, out io.Writer) error {
	state, err := openState(a.URL, a.Name)
	if err != nil {
		return err
	}
	limiter, err := limiterOf(state.Attempts(), budget)
	if err != nil {
		return err
	}
	scheme, err := basic.New("fleet", basic.VerifierFunc(func(context.Context, string, string) (*core.Principal, error) { return nil, basic.ErrWrongPassword }))
	if err != nil {
		return err
	}
	guard, err := core.NewGuard([]core.Authenticator{scheme}, core.WithAttemptLimiter(limiter), quietGuard, core.WithObserver(core.LogObserver(slog.New(slog.DiscardHandler))))
	if err != nil {
		return err
	}
	service := httpauth.Authenticate(guard)(http.NotFoundHandler())
	write := json.NewEncoder(out)
	if err := write.Encode(message{Sighting: &sighting{1, time.Now()}}); err != nil { // it is there
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var c account
		for i := range guessesOfEach {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.SetBasicAuth(fmt.Sprint("user", i), "wrong")
			w := httptest.NewRecorder()
			service.ServeHTTP(w, r)
			c.Requests++
			if w.Code == http.StatusUnauthorized {
				c.Passed++
			}
		}
		if err := write.Encode(message{Account: &c}); err != nil {
			return err
		}
	}
	return lines.Err()
}

// costOfStore is what a store adds to attempts, as the difference of medians.
func costOfStore(t *testing.T, server *redistest.Server, rounds int) (failure, success time.Duration) {
	t.Helper()
	state, err := openState(server.URL(), "cost")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = state.Close() }()
	wrong := &core.CredentialError{Reason: core.ReasonWrongSecret, Code: core.CodeInvalidCredentials}
	attempt := func(store attempts.Store, outcome error) time.Duration {
		limiter, err := limiterOf(store, maxBurst)
		if err != nil {
			t.Fatal(err)
		}
		r := httpauth.Request(httptest.NewRequest(http.MethodGet, "/", nil))
		var took []time.Duration
		for range rounds + 1 {
			began := time.Now()
			if err := limiter.Allow(t.Context(), r, user); err != nil {
				t.Fatal(err)
			}
			limiter.Report(t.Context(), r, user, outcome)
			took = append(took, time.Since(began))
		}
		return median(took[1:]) // the first has not failed before
	}
	added := func(outcome error) time.Duration {
		return max(0, attempt(state.Attempts(), outcome)-attempt(nil, outcome))
	}
	success = added(nil) // before there are failures in the store
	return added(wrong), success
}

func median(d []time.Duration) time.Duration { return slices.Sorted(slices.Values(d))[len(d)/2] }
