// Package rule has authorizers that need no policy file: roles, scopes,
// entitlements, account state, ownership, strength and age of the sign-in,
// predicates, and ways to combine them.
//
//	httpauth.Require(guard, rule.Role("admin"))
//	httpauth.Require(guard, rule.Any(rule.Role("editor"), rule.Scope("reports:write")))
//	httpauth.Require(guard, rule.Public("plan_required", "Your plan does not include insights.",
//		rule.Claim("plan", "pro", "enterprise")))
//
// A region or any other fact from the credentials is a [Claim], a fact from
// elsewhere a [Func]. All comparisons are exact and in letter case.
//
// Constructors panic, as [regexp.MustCompile] does, when the rule they are
// asked for cannot work (no role, an empty name, a nil rule), so that a mistake
// shows where the gate is mounted and never at a request. Give them constants
// or configuration; a value that comes with a request or an object belongs in
// [Owner] or in the function of a [Func], which never panic for what it holds.
//
// Rules are immutable and safe for concurrent use. Each prints as the Go
// expression it was made with, durations in short ("5m0s"), [Public] and the
// argument of [Owner] left out, and names itself so in [core.Decision.Rule].
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

// String is the rule as the Go expression it was made with.
func (l label) String() string { return string(l) }

// newLabel is the text of a call in this package with string arguments.
func newLabel(function string, args ...string) label {
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = strconv.Quote(arg)
	}
	return labelOf(function, quoted)
}

// labelOf is the text of a call in this package.
func labelOf(function string, args []string) label {
	return label("rule." + function + "(" + strings.Join(args, ", ") + ")")
}

// describe is the text of any authorizer.
func describe(a core.Authorizer) string {
	if s, ok := a.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", a)
}

// list copies the arguments of a constructor. It panics when there are none,
// or one is empty or stands twice.
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
