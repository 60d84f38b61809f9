// Package engines puts the engines to measure behind one interface.
package engines

import (
	"sync"

	"github.com/sallyport-go/sallyport/examples/bench/policies"
)

// Engine answers questions about the policy it was opened with. It is safe for
// concurrent use.
type Engine interface {
	// Prepare readies a question, as a program has it at hand when it asks, and
	// returns a function that asks it once.
	Prepare(q policies.Question) func() (bool, error)
}

// Reloader is an engine that can read its policy anew while it answers.
type Reloader interface {
	Engine
	Reload() error
}

// Kind is an engine by name.
type Kind struct {
	Name string
	// Open loads a policy from text that is in memory.
	Open func(p *Source) (Engine, error)
	// Flat says that the engine claims to answer in the same time at any size;
	// others are not measured at sizes that would take too long.
	Flat bool
}

// Source is a policy with its text in the languages of all engines.
type Source struct {
	*policies.Policy
	csv, cedar func() []byte
}

// NewSource wraps a policy. A text is made when an engine first wants it.
func NewSource(p *policies.Policy) *Source {
	return &Source{
		Policy: p,
		csv:    sync.OnceValue(p.CSV),
		cedar:  sync.OnceValue(func() []byte { return cedarText(p) }),
	}
}

// Sallyport is the name of our own engine.
const Sallyport = "sallyport"

// All are the engines that answer by a policy, ours first.
func All() []Kind {
	return []Kind{
		{Name: Sallyport, Open: openSallyport, Flat: true},
		{Name: "casbin", Open: openCasbin},
		{Name: "casbin-synced", Open: openSynced},
		{Name: "casbin-cached", Open: openCached},
		{Name: "cedar", Open: openCedar},
	}
}

// Reloading are the engines that can reload while they answer.
func Reloading() []Kind {
	return []Kind{
		{Name: Sallyport, Open: openSallyport, Flat: true},
		{Name: "casbin-synced", Open: openSynced},
		{Name: "casbin-synced-cached", Open: openSyncedCached},
		{Name: "cedar", Open: openCedar},
	}
}
