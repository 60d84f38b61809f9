package rule

import (
	"context"

	"github.com/sallyport-go/sallyport/core"
)

// AccountState is the state of a principal's account. The zero value is
// [AccountUnknown]; only [AccountActive] is allowed.
type AccountState uint8

// The states of an account.
const (
	AccountUnknown AccountState = iota
	AccountActive
	AccountSuspended
	AccountClosed
)

// String returns the state in one word; "unknown" for any other number.
func (s AccountState) String() string {
	switch s {
	case AccountActive:
		return "active"
	case AccountSuspended:
		return "suspended"
	case AccountClosed:
		return "closed"
	default:
		return "unknown"
	}
}

// AccountLookup returns the state of a principal's account. It is called for every
// request and must be safe for concurrent use.
//
// For an account it does not know it returns [AccountUnknown] and no error: the
// principal is refused. An error means that the lookup failed, and is answered with
// 503, or as its kind says (see [core.Authenticator]).
type AccountLookup func(ctx context.Context, p *core.Principal) (AccountState, error)

// CodeAccountSuspended is the public code of a refusal by [Account].
const CodeAccountSuspended = "account_suspended"

const accountMessage = "This account is not active. Signing in again will not help; contact support."

// Account allows a principal whose account is active. Credentials may outlive
// changes to the account, so the lookup decides for every request.
//
// A refusal has the public code [CodeAccountSuspended], whatever the state, with a
// matching message; use [Public] for another. Account panics if lookup is nil.
func Account(lookup AccountLookup) core.Authorizer {
	if lookup == nil {
		panic("rule.Account: the lookup is nil")
	}
	return &account{label: "rule.Account", lookup: lookup}
}

type account struct {
	label
	lookup AccountLookup
}

func (r *account) Authorize(ctx context.Context, p *core.Principal, _ core.Access) (core.Decision, error) {
	state, err := r.lookup(ctx, p)
	if err != nil {
		return core.Decision{Rule: r.String()}, err
	}
	if state == AccountActive {
		return core.Decision{Allowed: true, Rule: r.String()}, nil
	}
	return core.Decision{
		Reason:  core.ReasonAccountState,
		Rule:    r.String() + ": " + state.String(),
		Code:    CodeAccountSuspended,
		Message: accountMessage,
	}, nil
}
