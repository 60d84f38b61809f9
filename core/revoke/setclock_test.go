package revoke_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/setclock"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/revoke/revoketest"
)

// TestClockThatIsSet: a clock that is set, and set back, has nothing forgotten that
// revokes tokens which are good by it again, whether it was added before that or
// meanwhile.
func TestClockThatIsSet(t *testing.T) {
	const life = 20 * time.Minute
	for name, open := range map[string]func(t *testing.T, now func() time.Time) (revoke.Checker, func(revoke.Entry) error){
		"list": func(t *testing.T, now func() time.Time) (revoke.Checker, func(revoke.Entry) error) {
			l, err := revoke.New(revoke.WithClock(now))
			if err != nil {
				t.Fatal(err)
			}
			return l, l.Revoke
		},
		"file": func(t *testing.T, now func() time.Time) (revoke.Checker, func(revoke.Entry) error) {
			f, err := revoke.OpenFile(filepath.Join(t.TempDir(), "revoked"), revoke.WithClock(now))
			if err != nil {
				t.Fatal(err)
			}
			return f, f.Revoke
		},
		"follower": func(t *testing.T, now func() time.Time) (revoke.Checker, func(revoke.Entry) error) {
			f := follow(t, &revoketest.Memory{}, revoke.WithFollowerClock(now))
			return f, f.Revoke
		},
		"follower of what others append": func(t *testing.T, now func() time.Time) (revoke.Checker, func(revoke.Entry) error) {
			log := &revoketest.Memory{}
			f := follow(t, log, revoke.WithFollowerClock(now))
			return f, func(e revoke.Entry) error {
				at, err := log.Append(t.Context(), "", e)
				if err != nil {
					return err
				}
				return f.WaitFor(t.Context(), at)
			}
		},
	} {
		for _, step := range []time.Duration{5 * time.Hour, -5 * time.Hour} {
			for _, meanwhile := range []bool{false, true} {
				for _, monotonic := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s, by %v, added meanwhile %v, monotonic %v", name, step, meanwhile, monotonic), func(t *testing.T) {
						start := time.Now()
						var passed, set atomic.Int64
						now := func() time.Time {
							return setclock.By(start.Add(time.Duration(passed.Load())), time.Duration(set.Load()))
						}
						list, add := open(t, now)
						revokes := func(id string, e revoke.Entry) {
							t.Helper()
							e.ID = id
							if !monotonic {
								e.Expires = e.Expires.Round(0)
							}
							if err := add(e); err != nil {
								t.Fatal(err)
							}
						}
						is := func(id, when string) {
							t.Helper()
							if revoked, err := list.Revoked(t.Context(), revoke.Token{ID: id}); err != nil || !revoked {
								t.Errorf("%s: %v, %v", when, revoked, err)
							}
						}
						entry := revoke.Entry{Expires: start.Add(life)}
						if !meanwhile {
							revokes("a", entry)
						}
						set.Store(int64(step))
						if meanwhile {
							revokes("a", entry)
						}
						for i := range 3 { // what has expired is looked for
							passed.Add(int64(2 * time.Minute))
							revokes(fmt.Sprint("other ", i), revoke.Entry{Expires: now().Add(life)})
						}
						if step < 0 {
							passed.Add(int64(life)) // it is not as late by the time of day
							revokes("one more", revoke.Entry{Expires: now().Add(life)})
							is("a", "while the clock is behind")
							return
						}
						set.Store(0)
						is("a", "when the clock is right again")
					})
				}
			}
		}
	}
}

// TestClockThatWasAhead: what a follower passes over because its clock is ahead from the
// beginning is there at the first look after that is set back.
func TestClockThatWasAhead(t *testing.T) {
	start := time.Now()
	var set atomic.Int64
	set.Store(int64(5 * time.Hour))
	log := &revoketest.Memory{}
	at, err := log.Append(t.Context(), "", revoke.Entry{ID: "a", Expires: start.Add(20 * time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	f := follow(t, log, revoke.WithFollowerClock(func() time.Time { return setclock.By(start, time.Duration(set.Load())) }))
	set.Store(0)
	if err := f.WaitFor(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if revoked, err := f.Revoked(t.Context(), revoke.Token{ID: "a"}); err != nil || !revoked {
		t.Errorf("%v, %v", revoked, err)
	}
	if s := f.Status(); s.Restarts != 0 || s.Read != at {
		t.Errorf("status %+v", s)
	}
}

// TestClockThatIsSetAgain: in whatever order a clock is ahead, behind and right, and
// whether an entry was there before the list was opened or is added in between, it revokes
// by every clock that is not ahead. A follower has to look for that, and a list forgets
// what has always expired by its clock.
func TestClockThatIsSetAgain(t *testing.T) {
	const life = time.Hour
	type kind struct {
		looks, forgets bool
		// open has a list, with entries from before, and what adds another one.
		open func(t *testing.T, now func() time.Time, before []revoke.Entry) (revoke.Checker, func(revoke.Entry) error)
	}
	steps := []time.Duration{-5 * time.Hour, 0, 5 * time.Hour}
	for name, k := range map[string]kind{
		"list": {false, true, func(t *testing.T, now func() time.Time, before []revoke.Entry) (revoke.Checker, func(revoke.Entry) error) {
			l, err := revoke.New(revoke.WithClock(now))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range before {
				must(t, l.Load("revoked.txt", []byte(e.String())))
			}
			return l, l.Revoke
		}},
		"file": {false, false, func(t *testing.T, now func() time.Time, before []revoke.Entry) (revoke.Checker, func(revoke.Entry) error) {
			path := filepath.Join(t.TempDir(), "revoked")
			for _, e := range before {
				must(t, os.WriteFile(path, []byte(e.String()), 0o600))
			}
			f, err := revoke.OpenFile(path, revoke.WithClock(now))
			if err != nil {
				t.Fatal(err)
			}
			return f, f.Revoke
		}},
		"follower": {true, false, func(t *testing.T, now func() time.Time, before []revoke.Entry) (revoke.Checker, func(revoke.Entry) error) {
			log := &revoketest.Memory{}
			for _, e := range before {
				if _, err := log.Append(t.Context(), "", e); err != nil {
					t.Fatal(err)
				}
			}
			f := follow(t, log, revoke.WithFollowerClock(now))
			return f, func(e revoke.Entry) error {
				at, err := log.Append(t.Context(), "", e)
				if err != nil {
					return err
				}
				return f.WaitFor(t.Context(), at)
			}
		}},
	} {
		for n := range 27 {
			order := []time.Duration{steps[n%3], steps[n/3%3], steps[n/9], 0}
			ahead := 0
			for order[ahead] > 0 {
				ahead++
			}
			for added := -1; added < len(order); added++ {
				if k.forgets && added >= 0 && added < ahead {
					continue
				}
				t.Run(fmt.Sprintf("%s, by %v, added at %d", name, order, added), func(t *testing.T) {
					start := time.Now()
					var passed, set atomic.Int64
					set.Store(int64(order[0]))
					now := func() time.Time {
						return setclock.By(start.Add(time.Duration(passed.Load())), time.Duration(set.Load()))
					}
					entry := revoke.Entry{ID: "a", Expires: start.Add(life).Round(0)}
					var before []revoke.Entry
					if added < 0 {
						before = append(before, entry)
					}
					list, add := k.open(t, now, before)
					for i, step := range order {
						set.Store(int64(step))
						if i == added {
							must(t, add(entry))
						}
						is := func(when string) {
							t.Helper()
							if step <= 0 && i >= added && !isRevoked(t, list, revoke.Token{ID: "a"}) {
								t.Errorf("at %d it is good %s", i, when)
							}
						}
						if !k.looks {
							is("at once")
						}
						for j := range 2 { // what has expired is looked for
							passed.Add(int64(2 * time.Minute))
							must(t, add(revoke.Entry{ID: fmt.Sprint(i, j), Expires: now().Add(life)}))
						}
						is("later")
					}
				})
			}
		}
	}
}

// TestLaterEntryBySetClock: an entry that was added later, but is for less by the time of
// day, takes no other away.
func TestLaterEntryBySetClock(t *testing.T) {
	for _, all := range []bool{false, true} {
		for _, expires := range []time.Duration{0, 24 * time.Hour} {
			start := time.Now()
			passed, set := time.Duration(0), 5*time.Hour
			now := func() time.Time { return setclock.By(start.Add(passed), set) }
			l, err := revoke.New(revoke.WithClock(now))
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				e := revoke.Entry{All: all, IssuedBefore: now()}
				if !all {
					e.Subject = "alice"
				}
				if expires > 0 {
					e.Expires = now().Add(expires)
				}
				must(t, l.Revoke(e))
				passed, set = passed+time.Minute, 0
			}
			if !isRevoked(t, l, revoke.Token{Subject: "alice", IssuedAt: start.Add(4 * time.Hour).Round(0)}) {
				t.Errorf("all %v, for %v: good again", all, expires)
			}
		}
	}
}

// TestFullListWhenClockIsSet: however the clock is set, once or every day, as by a machine
// that sleeps, a list is not full of what has expired.
func TestFullListWhenClockIsSet(t *testing.T) {
	const most = 10
	year := 365 * 24 * time.Hour
	for name, open := range map[string]func(t *testing.T, now func() time.Time) func(revoke.Entry) error{
		"list": func(t *testing.T, now func() time.Time) func(revoke.Entry) error {
			l, err := revoke.New(revoke.WithClock(now), revoke.WithMaxEntries(most))
			if err != nil {
				t.Fatal(err)
			}
			return l.Revoke
		},
		"follower": func(t *testing.T, now func() time.Time) func(revoke.Entry) error {
			return follow(t, &revoketest.Memory{}, revoke.WithFollowerClock(now), revoke.WithFollowerMaxEntries(most)).Revoke
		},
	} {
		for _, once := range []time.Duration{-56 * year, -5 * time.Hour, 0, 5 * time.Hour, 56 * year} {
			for _, daily := range []time.Duration{0, 12 * time.Hour} {
				t.Run(fmt.Sprintf("%s, by %v, then %v a day", name, once, daily), func(t *testing.T) {
					start := time.Now()
					var passed, set atomic.Int64
					now := func() time.Time {
						return setclock.By(start.Add(time.Duration(passed.Load())), time.Duration(set.Load()))
					}
					add := open(t, now)
					revokes := func(id string) error {
						return add(revoke.Entry{ID: id, Expires: now().Add(time.Minute)})
					}
					must(t, revokes("before"))
					set.Add(int64(once))
					for i := range most - 1 {
						must(t, revokes(fmt.Sprint("at once ", i)))
					}
					passed.Add(int64(5 * time.Minute))
					if err := revokes("soon"); err != nil && once <= 0 {
						t.Fatal(err)
					}
					for i := range 30 {
						passed.Add(int64(8 * time.Hour))
						if i%3 == 0 {
							set.Add(int64(daily))
						}
						// For a day or two the clock may be ahead, and be set back.
						if err := revokes(fmt.Sprint(i)); err != nil && (once <= 0 || i > 6) {
							t.Fatalf("entry %d: %v", i, err)
						}
					}
				})
			}
		}
	}
}
