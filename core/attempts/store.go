package attempts

import (
	"context"
	"time"
)

// Store keeps the counts of several limiters, so that the instances of a service
// have one budget together; see [WithStore]. Implementations must be safe for
// concurrent use. Each call is one atomic step on all that an attempt is counted
// under, which a script in Redis can do in one round trip: redisstate in the
// module core/source/redis has one.
//
// A context without time left, or any error, means that nobody knows: the limiter
// goes on by what it knows itself.
type Store interface {
	// Reserve reserves an attempt in all counters of a, or in none, and says which
	// of them refuses it. A reservation that is never settled must expire after
	// one to two minutes.
	//
	// A counter whose budget is used up refuses. That of an account does not where
	// Known is remembered, or where Tried is not: then Tried is remembered, as open,
	// for MaxWait.
	Reserve(ctx context.Context, a Attempt) (Answer, error)
	// Settle says how an attempt ended.
	//
	// A failure is charged to all counters, and Tried remembered, no longer as
	// open, for MaxWait. A success has Known remembered for KnownFor and Tried
	// forgotten. What is neither forgets Tried if it is open. The reservation is
	// given back where there was one.
	Settle(ctx context.Context, a Attempt, o Outcome) error
}

// Attempt is what a [Store] is told of one.
type Attempt struct {
	// Now is the time of a limiter with [WithClock], and zero for others: then the
	// store's own clock counts, so that those of the instances may differ.
	Now time.Time
	// Counters are what the attempt is counted under, in the order in which they
	// are asked: an address, the network of an IPv6 address, an account.
	Counters []Counter
	// Known names the account together with the address, Tried together with the
	// address or the IPv6 network. Both are "" without an account.
	Known, Tried      string
	KnownFor, MaxWait time.Duration
}

// Counter is a budget, and what it is for.
type Counter struct {
	Part Part
	// Key is a keyed hash, in base64url: it tells nothing of an address or account.
	Key string
	// Burst is how many failures fit, Interval how long it takes to forgive one,
	// and Ahead how far in the future the last of them may be forgiven; a failure
	// that would be forgiven later is forgiven then.
	Burst           int
	Interval, Ahead time.Duration
}

// Part is a kind of counter. Parts add up.
type Part uint8

// The kinds of counters.
const (
	Address Part = 1 << iota
	Network
	Account
)

// Answer is a [Store]'s to an attempt. The zero Answer says that it is reserved
// and that none of its counters has failures.
type Answer struct {
	// Refused is the counter that refuses the attempt; 0 if it is reserved.
	Refused Part
	// Pending says that it does so because of reservations alone.
	Pending bool
	// Wait is how long until it has a failure left, unless Pending, and Failed how
	// often it has failed.
	Wait   time.Duration
	Failed int
	// Failing are the counters that have failures which are not forgiven yet.
	// Where one refuses, those after it need not be among them.
	Failing Part
}

// Outcome is how an attempt ended. Without Failed and Succeeded nobody learned
// whether the credentials were right.
type Outcome struct {
	Failed, Succeeded bool
	// Reserved says that the attempt was reserved in the store.
	Reserved bool
}
