package revoke

import (
	"sync"
	"time"
)

// name is an identifier or a subject at an issuer, which is "" for any.
type name struct{ issuer, value string }

// span says that tokens issued up to before are revoked, and when that may be
// forgotten; zero for never.
type span struct{ before, expires time.Time }

// table holds entries. It is not safe for concurrent writes.
type table struct {
	tokens   map[name]time.Time // when it may be forgotten; zero for never
	subjects map[name][]span
	issuers  map[string][]span
	size     int
}

func newTable() *table {
	return &table{tokens: map[name]time.Time{}, subjects: map[name][]span{}, issuers: map[string][]span{}}
}

// add adds a valid entry. One that another entry already covers changes nothing, and one
// that covers another replaces it.
func (t *table) add(e Entry) {
	s := span{e.IssuedBefore, e.Expires}
	switch {
	case e.ID != "":
		n := name{e.Issuer, e.ID}
		old, there := t.tokens[n]
		if !there {
			t.size++
		}
		if !there || outlasts(e.Expires, old) {
			t.tokens[n] = e.Expires
		}
	case e.Subject != "":
		n := name{e.Issuer, e.Subject}
		was := len(t.subjects[n])
		t.subjects[n] = merge(t.subjects[n], s)
		t.size += len(t.subjects[n]) - was
	default:
		was := len(t.issuers[e.Issuer])
		t.issuers[e.Issuer] = merge(t.issuers[e.Issuer], s)
		t.size += len(t.issuers[e.Issuer]) - was
	}
}

// outlasts reports whether an entry that expires at a is kept at least as long as one
// that expires at b.
func outlasts(a, b time.Time) bool { return a.IsZero() || !b.IsZero() && !a.Before(b) }

func (s span) covers(other span) bool {
	return !s.before.Before(other.before) && outlasts(s.expires, other.expires)
}

// merge returns list with s. It never changes list, which readers may hold.
func merge(list []span, s span) []span {
	kept := make([]span, 0, len(list)+1)
	for _, have := range list {
		if have.covers(s) {
			return list
		}
		if !s.covers(have) {
			kept = append(kept, have)
		}
	}
	return append(kept, s)
}

// has reports whether an entry of the table revokes tok.
func (t *table) has(tok Token, now time.Time) bool {
	for _, issuer := range [...]string{tok.Issuer, ""} {
		if tok.ID != "" {
			if until, ok := t.tokens[name{issuer, tok.ID}]; ok && alive(until, now) {
				return true
			}
		}
		if within(t.subjects[name{issuer, tok.Subject}], tok.IssuedAt, now) || within(t.issuers[issuer], tok.IssuedAt, now) {
			return true
		}
	}
	return false
}

func within(list []span, issued, now time.Time) bool {
	for _, s := range list {
		if !issued.After(s.before) && alive(s.expires, now) {
			return true
		}
	}
	return false
}

// clock says when expired entries may be forgotten. What has expired by a clock that was
// set forward is still needed if the clock is set back, since the tokens are then valid
// again. A clock that stays ahead for a day or two counts as right: otherwise a machine
// that boots with a wrong time, or sleeps, would keep entries until the list is full.
type clock struct {
	now   func() time.Time
	start time.Time

	mu sync.Mutex
	// trusted is by how much the clock was rightly set since start, least the smallest
	// difference seen after since, which is trusted next.
	trusted, least time.Duration
	since          time.Time
}

// trustedAfter is how long a clock has to stay ahead to count as right.
const trustedAfter = 24 * time.Hour

func newClock(now func() time.Time) *clock {
	start := now()
	return &clock{now: now, start: start, since: start}
}

// forgets returns the time up to which expired entries may be forgotten: now, or earlier if
// the clock was set forward lately.
func (c *clock) forgets() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	passed := now.Sub(c.start)
	unset := c.start.Round(0).Add(passed)
	ahead := now.Round(0).Sub(unset)
	switch c.least = min(c.least, ahead); {
	case ahead < c.trusted:
		c.trusted, c.least, c.since = ahead, ahead, now
	case now.Sub(c.since) >= trustedAfter:
		c.trusted, c.least, c.since = c.least, ahead, now
	}
	return unset.Add(c.trusted)
}

func alive(until, now time.Time) bool { return until.IsZero() || now.Before(until) }

// sweep removes expired entries.
func (t *table) sweep(now time.Time) {
	for n, until := range t.tokens {
		if !alive(until, now) {
			delete(t.tokens, n)
			t.size--
		}
	}
	for n, list := range t.subjects {
		if list = t.living(list, now); len(list) == 0 {
			delete(t.subjects, n)
		} else {
			t.subjects[n] = list
		}
	}
	for n, list := range t.issuers {
		if list = t.living(list, now); len(list) == 0 {
			delete(t.issuers, n)
		} else {
			t.issuers[n] = list
		}
	}
}

func (t *table) living(list []span, now time.Time) []span {
	var kept []span
	for _, s := range list {
		if alive(s.expires, now) {
			kept = append(kept, s)
		}
	}
	t.size -= len(list) - len(kept)
	return kept
}
