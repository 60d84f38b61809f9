package casbinrules

import (
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// FormatPolicy aligns the fields of a policy file and keeps its rules, comments
// and their order; name stands for the file in findings. Lines of one kind that
// no empty line parts are aligned with each other. Blanks are added only in
// front of fields, where they do not count, and quotes only where needed.
//
// A file with something wrong that shows without a model is refused with a
// [*FindingsError]: what cannot be read for certain is not rewritten.
// Formatting twice gives the same as formatting once.
func FormatPolicy(name string, text []byte) ([]byte, error) { return policy.Format(name, text) }
