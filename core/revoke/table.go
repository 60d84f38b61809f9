package revoke

import "time"

// name is an identifier or a subject at an issuer, which is "" for any.
type name struct{ issuer, value string }

// span is up to when tokens are revoked that were issued, and when that may be
// forgotten; zero for never.
type span struct{ before, expires time.Time }

// table holds entries. It is not safe for concurrent writes.
type table struct {
	tokens   map[name]time.Time // when to forget it; zero for never
	subjects map[name][]span
	issuers  map[string][]span
	size     int
}

func newTable() *table {
	return &table{tokens: map[name]time.Time{}, subjects: map[name][]span{}, issuers: map[string][]span{}}
}

// add takes an entry that is valid. One that another entry covers already
// changes nothing, one that covers another takes its place.
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

// outlasts reports whether an entry until a is kept at least as long as one
// until b.
func outlasts(a, b time.Time) bool { return a.IsZero() || !b.IsZero() && !a.Before(b) }

func (s span) covers(other span) bool {
	return !s.before.Before(other.before) && outlasts(s.expires, other.expires)
}

// merge is list with s. The list is never changed: readers may hold it.
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

// clock is one by which entries are forgotten. What has expired by a clock that is ahead,
// or was set forward, has to be there when that is set back, since the tokens are then good
// again.
type clock struct {
	now   func() time.Time
	start time.Time
}

func newClock(now func() time.Time) clock { return clock{now, now()} }

// forgets is up to when entries may be forgotten that have expired: now, or what it would
// be if nobody had set the clock since the start, whichever is earlier.
func (c clock) forgets() time.Time {
	now := c.now()
	day, unset := now.Round(0), c.start.Round(0).Add(now.Sub(c.start))
	if unset.Before(day) {
		return unset
	}
	return day
}

func alive(until, now time.Time) bool { return until.IsZero() || now.Before(until) }

// sweep forgets what has expired.
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
