package casbinrules

import (
	"context"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// ReloadOutcome is how an attempt to load a policy ended.
type ReloadOutcome string

// The outcomes. After each except [ReloadLoaded] the policy in force is the one that
// was in force before.
const (
	// ReloadLoaded: the files have changed, and are in force.
	ReloadLoaded ReloadOutcome = "loaded"
	// ReloadUnchanged: the files are already in force. It is reported after a call
	// of Reload, and when rejected files have been restored.
	ReloadUnchanged ReloadOutcome = "unchanged"
	// ReloadRejected: the files were read but are not a valid policy, or are far
	// smaller than the policy in force.
	ReloadRejected ReloadOutcome = "rejected"
	// ReloadFailed: the files could not be read.
	ReloadFailed ReloadOutcome = "failed"
	// ReloadDegraded: the operating system sends no file events, so changes take
	// effect only at the next poll.
	ReloadDegraded ReloadOutcome = "degraded"
	// ReloadStale: the source has not confirmed the policy for longer than
	// [WithMaxStaleness] allows. [ReloadUnchanged] or [ReloadLoaded] ends it.
	ReloadStale ReloadOutcome = "stale"
	// ReloadNotKept: the policy in force could not be written to the last good file,
	// source.WithLastGoodFile, from which an instance starts while its source is
	// down. It is reported once, and retried each minute; [ReloadUnchanged] or
	// [ReloadLoaded] ends it.
	ReloadNotKept ReloadOutcome = "not_kept"
)

// ReloadEvent describes one attempt to load to [WithReloadObserver] functions. Its
// slices are shared and must not be modified. Texts from the files are printable and
// on one line; those of Err and Findings are once they are formatted.
type ReloadEvent struct {
	// Time is when the attempt began, Duration how long loading took.
	Time     time.Time
	Duration time.Duration
	Outcome  ReloadOutcome
	// Old is the version that was in force before, New the one in force now; they
	// are the same unless the outcome is [ReloadLoaded].
	Old, New Version
	// Forced reports that [Authorizer.ReloadForced] was called.
	Forced bool
	// Added and Removed are the rules and role links that only the new or only the
	// old policy has, in the order of the files, at most a hundred of each. A line
	// that was only moved is in neither.
	Added, Removed []RuleText
	// AddedCount and RemovedCount are their total numbers.
	AddedCount, RemovedCount int
	// Reordered reports that the lines are the same in another order, which matters
	// to models with priorities. ModelChanged reports that the text of the model has
	// changed.
	Reordered, ModelChanged bool
	// Findings are why the files were rejected, or the warnings about the
	// policy now in force.
	Findings []Finding
	// Err is the error for a failed outcome, or nil.
	Err error
}

// tell calls all observers, even if one panics.
func (a *Authorizer) tell(ctx context.Context, e ReloadEvent) {
	a.telling.Lock()
	defer a.telling.Unlock()
	e = a.config.pseudonymous(e, a.sources.Rows != nil)
	for _, observe := range a.config.observers {
		a.tellOne(ctx, observe, e)
	}
}

func (a *Authorizer) tellOne(ctx context.Context, observe func(context.Context, ReloadEvent), e ReloadEvent) {
	defer func() {
		if v := recover(); v != nil {
			text := model.Visible(fmt.Sprint(v))
			if p := a.config.pseudonyms; p != nil {
				text = p.Of(text)
			}
			a.config.logger.ErrorContext(ctx, "policy reload observer panicked", "panic", text)
		}
	}()
	observe(ctx, e)
}
