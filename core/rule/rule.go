// Package rule provides authorizers that need no policy file: roles, scopes,
// entitlements, account state, ownership, strength and age of the sign-in,
// predicates, and ways to combine them.
//
//	httpauth.Require(guard, rule.Role("admin"))
//	httpauth.Require(guard, rule.Any(rule.Role("editor"), rule.Scope("reports:write")))
//	httpauth.Require(guard, rule.Public("plan_required", "Your plan does not include insights.",
//		rule.Claim("plan", "pro", "enterprise")))
//
// Use [Claim] for a region or any other fact from the credentials, and [Func] for
// facts from elsewhere. All comparisons are exact and case-sensitive.
//
// Constructors panic, as [regexp.MustCompile] does, if the rule cannot work (no
// role, an empty name, a nil rule), so that a mistake shows where the gate is
// mounted and never at request time. Pass them constants or configuration; a value
// from a request or an object belongs in [Owner] or in the function of a [Func],
// which never panic because of it.
//
// Rules are immutable and safe for concurrent use. Each prints as the Go expression
// that made it, with durations as in "5m0s" and without [Public] and the argument
// of [Owner]; [core.Decision.Rule] uses the same text.
package rule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/core"
)

// label is the text of a rule.
type label string

// String returns the Go expression that made the rule.
func (l label) String() string { return string(l) }

// newLabel returns the text of a call of a function of this package with string
// arguments.
func newLabel(function string, args ...string) label {
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = strconv.Quote(arg)
	}
	return labelOf(function, quoted)
}

// labelOf returns the text of a call of a function of this package.
func labelOf(function string, args []string) label {
	return label("rule." + function + "(" + strings.Join(args, ", ") + ")")
}

// describe returns the text of any authorizer.
func describe(a core.Authorizer) string {
	if s, ok := a.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", a)
}

// list copies the arguments of a constructor. It panics if there are none, or one
// is empty or given twice.
func list(function, what string, values []string) []string {
	if len(values) == 0 {
		panic("rule." + function + ": no " + what + " given")
	}
	for i, v := range values {
		if v == "" {
			panic(fmt.Sprintf("rule.%s: %s %d is empty", function, what, i+1))
		}
		if slices.Contains(values[:i], v) {
			panic(fmt.Sprintf("rule.%s: %s %q is given twice", function, what, v))
		}
	}
	return slices.Clone(values)
}
