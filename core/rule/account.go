package rule

import (
	"context"

	"github.com/sallyport-go/sallyport/core"
)

// AccountState is the state of a principal's account. The zero value is
// [AccountUnknown], and only [AccountActive] is let through.
type AccountState uint8

// The states of an account.
const (
	AccountUnknown AccountState = iota
	AccountActive
	AccountSuspended
	AccountClosed
)

// String is the state in one word; "unknown" for any other number.
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

// AccountLookup tells the state of the account behind a principal. It is asked
// at every request and must be safe for concurrent use.
//
// An account it does not know is [AccountUnknown] and no error: the principal
// is refused. An error means that the state could not be found out and is
// answered with 503, or what its kind says (see [core.Authenticator]).
type AccountLookup func(ctx context.Context, p *core.Principal) (AccountState, error)

// CodeAccountSuspended is the public code of a refusal by [Account].
const CodeAccountSuspended = "account_suspended"

const accountMessage = "This account is not active. Signing in again will not help; contact support."

// Account allows a principal whose account is active. Credentials outlive what
// happens to an account, so the lookup decides anew at every request.
//
// A refusal tells the client [CodeAccountSuspended], whatever the state, with a
// message to match; [Public] says something else. It panics for a nil lookup.
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
