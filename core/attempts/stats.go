package attempts

import (
	"errors"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/tally"
)

// Stats counts what a limiter has done since it was created, for metrics. If
// instances share a store, the counts are for this instance.
type Stats struct {
	// Allowed counts attempts that were let through, Failed those of them that were
	// wrong guesses.
	Allowed, Failed uint64
	// Refused attempts found a budget used up: that of their address, its IPv6
	// network, or the account.
	RefusedAddress, RefusedNetwork, RefusedAccount uint64
	// Pending counts attempts that found the rest of a budget reserved by others
	// under way. A guard asks again for a few seconds, and each time counts.
	Pending uint64
	// Addresses, Networks and Accounts are the numbers of entries with failures.
	// Tried and Known are the numbers of pairs of an account and a client that has
	// failed for it, or succeeded. Capacity bounds each of them.
	Addresses, Networks, Accounts, Tried, Known int
	Capacity                                    int
}

// Stats returns the current counts.
func (l *Limiter) Stats() Stats {
	a := &l.asked
	return Stats{
		Allowed: a.allowed.Load(), Failed: a.failed.Load(),
		RefusedAddress: a.address.Load(), RefusedNetwork: a.network.Load(), RefusedAccount: a.account.Load(), Pending: a.pending.Load(),
		Addresses: l.addresses.buckets.len(), Networks: l.networks.buckets.len(), Accounts: l.accounts.buckets.len(),
		Tried: l.tried.len(), Known: l.known.len(), Capacity: l.tried.capacity(),
	}
}

// outcomes counts the results of attempts.
type outcomes struct{ allowed, failed, address, network, account, pending tally.Counter }

// note counts an attempt that part has refused with err, or that is allowed if err
// is nil.
func (o *outcomes) note(part Part, err error) {
	switch {
	case err == nil:
		o.allowed.Add()
	case isPending(err):
		o.pending.Add()
	case part == Address:
		o.address.Add()
	case part == Network:
		o.network.Add()
	default:
		o.account.Add()
	}
}

// isPending is a separate function so that an allowed attempt does not allocate.
func isPending(err error) bool {
	var limit *core.LimitError
	return errors.As(err, &limit) && limit.Pending
}
