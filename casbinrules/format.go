package casbinrules

import (
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// FormatPolicy aligns the fields of a policy file and keeps its rules, comments and
// their order; name stands for the file in findings. Lines of one kind are aligned
// with each other up to the next empty line. It adds blanks only in front of fields,
// where they do not count, and quotes only where needed.
//
// A file with a mistake that is recognizable without a model is refused with a
// [*FindingsError], because it could be rewritten wrongly. Formatting twice gives the
// same as formatting once.
func FormatPolicy(name string, text []byte) ([]byte, error) { return policy.Format(name, text) }
