package attempts

import (
	"context"
	"time"
)

// Store keeps the counts of several limiters, so that the instances of a service
// share one budget; see [WithStore]. Implementations must be safe for concurrent
// use. Each call is one atomic step on all counters of an attempt, which a Redis
// script can do in one round trip, as redisstate in the module core/source/redis
// does.
//
// After any error, or if the context ends, the limiter decides by what it knows
// itself.
type Store interface {
	// Reserve reserves an attempt in all counters of a, or in none, and returns
	// which of them refuses it. A reservation that is never settled must expire
	// after one to two minutes.
	//
	// A counter whose budget is used up refuses. An account's counter does not
	// refuse if Known is stored, or if Tried is not: then Tried is stored, as open,
	// for MaxWait.
	Reserve(ctx context.Context, a Attempt) (Answer, error)
	// Settle records the result of an attempt.
	//
	// A failure is charged to all counters, and Tried is stored, no longer as open,
	// for MaxWait. A success stores Known for KnownFor and deletes Tried. Any other
	// outcome deletes Tried if it is open. The reservation is released if there was
	// one.
	Settle(ctx context.Context, a Attempt, o Outcome) error
}

// Attempt describes an attempt to a [Store].
type Attempt struct {
	// Now is the time of a limiter with [WithClock], and zero for others: then the
	// store's own clock counts, so that the clocks of the instances may differ.
	Now time.Time
	// Counters lists the counters of the attempt, in the order in which they are
	// asked: an address, the network of an IPv6 address, an account.
	Counters []Counter
	// Known identifies the account with the address, Tried the account with the
	// address or the IPv6 network. Both are "" without an account.
	Known, Tried      string
	KnownFor, MaxWait time.Duration
}

// Counter is a budget and its key.
type Counter struct {
	Part Part
	// Key is a keyed hash, in base64url, which reveals nothing about the address or
	// account.
	Key string
	// Burst is the number of failures that fit, Interval how long it takes to
	// forgive one, and Ahead how far in the future the last of them is forgiven at
	// most.
	Burst           int
	Interval, Ahead time.Duration
}

// Part is a kind of counter. Parts can be combined as bits.
type Part uint8

// The kinds of counters.
const (
	Address Part = 1 << iota
	Network
	Account
)

// Answer is the answer of a [Store] to an attempt. The zero Answer means that it is
// reserved and that none of its counters has failures.
type Answer struct {
	// Refused is the counter that refuses the attempt; 0 if it is reserved.
	Refused Part
	// Pending reports that it refuses only because of reservations.
	Pending bool
	// Wait is how long until the counter has a failure left, unless Pending is set,
	// and Failed how often it has failed.
	Wait   time.Duration
	Failed int
	// Failing is the set of counters with failures that are not forgiven yet. If
	// one refuses, those after it may be missing.
	Failing Part
}

// Outcome is the result of an attempt. If neither Failed nor Succeeded is set, the
// attempt did not reveal whether the credentials were right.
type Outcome struct {
	Failed, Succeeded bool
	// Reserved reports that the attempt was reserved in the store.
	Reserved bool
}
