package attempts

import (
	"errors"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/tally"
)

// Stats are what a limiter has done since it was made, for metrics. Where instances
// share a store, they are those of this one.
type Stats struct {
	// Allowed attempts were let through, Failed of them were guesses that failed.
	Allowed, Failed uint64
	// Refused attempts found a budget used up: that of their address, of its IPv6
	// network, or of the account.
	RefusedAddress, RefusedNetwork, RefusedAccount uint64
	// Pending attempts found the rest of a budget reserved by others under way. A
	// guard asks again for a few seconds, and each time counts.
	Pending uint64
	// Addresses, Networks and Accounts are how many are held that have failed, Tried
	// and Known how many pairs of an account and a client that has failed for it, or
	// succeeded. Capacity bounds each of them.
	Addresses, Networks, Accounts, Tried, Known int
	Capacity                                    int
}

// Stats are the numbers at this moment.
func (l *Limiter) Stats() Stats {
	a := &l.asked
	return Stats{
		Allowed: a.allowed.Load(), Failed: a.failed.Load(),
		RefusedAddress: a.address.Load(), RefusedNetwork: a.network.Load(), RefusedAccount: a.account.Load(), Pending: a.pending.Load(),
		Addresses: l.addresses.buckets.len(), Networks: l.networks.buckets.len(), Accounts: l.accounts.buckets.len(),
		Tried: l.tried.len(), Known: l.known.len(), Capacity: l.tried.capacity(),
	}
}

// outcomes count what became of attempts.
type outcomes struct{ allowed, failed, address, network, account, pending tally.Counter }

// note counts an attempt that part has refused with err; nil for one that may be made.
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

// isPending is apart, so that an attempt which is allowed allocates nothing.
func isPending(err error) bool {
	var limit *core.LimitError
	return errors.As(err, &limit) && limit.Pending
}
