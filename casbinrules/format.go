package casbinrules

import (
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// FormatPolicy aligns the fields of a policy file and keeps its rules, comments and
// their order; name is the name of the file in findings. Lines of one kind are
// aligned with each other up to the next empty line. It adds spaces only before
// fields, where they are ignored, and quotes only where needed.
//
// A file with a mistake that is recognizable without a model is refused with a
// [*FindingsError], because rewriting it could change its meaning. Formatting twice
// has the same result as formatting once.
func FormatPolicy(name string, text []byte) ([]byte, error) { return policy.Format(name, text) }
