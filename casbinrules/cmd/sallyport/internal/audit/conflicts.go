package audit

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/quoted"
)

// Forbidden is a pair of roles, or of accesses, that nobody may have both of.
type Forbidden struct {
	File string
	Line int
	// Roles is the pair if ByRole is set. Otherwise it is Access, each an object and an
	// action.
	Roles  [2]string
	Access [2][2]string
	ByRole bool
	// Why is the comment above the line, or "".
	Why string
}

// Place returns a location such as "conflicts.csv:3".
func (f Forbidden) Place() string { return fmt.Sprintf("%s:%d", f.File, f.Line) }

// String describes the pair in words.
func (f Forbidden) String() string {
	if f.ByRole {
		return f.Roles[0] + " and " + f.Roles[1]
	}
	return f.Access[0][1] + " " + f.Access[0][0] + " and " + f.Access[1][1] + " " + f.Access[1][0]
}

const forbiddenForm = `write "roles, ROLE, ROLE" or "access, OBJECT, ACTION, OBJECT, ACTION"`

// ReadForbidden reads a file of forbidden pairs, one per line, quoted like policy lines:
//
//	# Whoever enters a payment must not approve it.
//	roles, payer, approver
//	access, /payments, POST, /payments/7/approval, POST
//
// Lines that begin with # are comments. A comment directly above a pair gives the reason
// for it.
func ReadForbidden(file string) ([]Forbidden, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read forbidden pairs: %w", err)
	}
	var pairs []Forbidden
	why, n := "", 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(line)
		if comment, ok := strings.CutPrefix(line, "#"); ok || line == "" {
			why = strings.TrimSpace(comment)
			continue
		}
		fields, err := quoted.List(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
		f := Forbidden{File: file, Line: n, Why: why}
		switch {
		case slices.Contains(fields, ""):
			return nil, fmt.Errorf("%s:%d: a field is empty: %s", file, n, forbiddenForm)
		case fields[0] == "roles" && len(fields) == 3 && fields[1] != fields[2]:
			f.ByRole, f.Roles = true, [2]string{fields[1], fields[2]}
		case fields[0] == "access" && len(fields) == 5:
			f.Access = [2][2]string{{fields[1], fields[2]}, {fields[3], fields[4]}}
		default:
			return nil, fmt.Errorf("%s:%d: %s", file, n, forbiddenForm)
		}
		pairs = append(pairs, f)
		why = ""
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("%s: there is no pair: %s", file, forbiddenForm)
	}
	return pairs, nil
}

// Conflict is a subject that has both of a forbidden pair.
type Conflict struct {
	Forbidden
	Who string
}

// Conflicts returns the subjects, among the roles and users of a policy, that have both of
// a pair, within one tenant if the model has tenants. The error is that of a failed
// decision, or names a role that the policy does not know.
func Conflicts(ctx context.Context, a *ask.Policy, subjects []ask.Subject, pairs []Forbidden) ([]Conflict, error) {
	known := a.KnownRoles()
	for _, f := range pairs {
		for _, role := range f.Roles {
			if f.ByRole && !slices.Contains(known, role) {
				return nil, fmt.Errorf("%s: the policy does not know the role %q", f.Place(), role)
			}
		}
	}
	var found []Conflict
	seen := map[Conflict]bool{} // roles do not depend on attributes
	for _, s := range subjects {
		roles, err := a.RolesOfSubject(ctx, s)
		if err != nil {
			return nil, err
		}
		roles = append(s.Roles(), roles...)
		for _, f := range pairs {
			both := slices.Contains(roles, f.Roles[0]) && slices.Contains(roles, f.Roles[1])
			if !f.ByRole {
				if both, err = hasBoth(ctx, a, s, f); err != nil {
					return nil, fmt.Errorf("%s: %w", f.Place(), err)
				}
			}
			who := s
			if f.ByRole {
				who.Attributes = nil
			}
			if c := (Conflict{f, string(s.Kind) + " " + who.Label()}); both && !seen[c] {
				seen[c] = true
				found = append(found, c)
			}
		}
	}
	return found, nil
}

func hasBoth(ctx context.Context, a *ask.Policy, s ask.Subject, f Forbidden) (bool, error) {
	for _, access := range f.Access {
		d, err := ask.Decide(ctx, a, s.Question(access[0], access[1]))
		if err != nil || !d.Allowed {
			return false, err
		}
	}
	return true, nil
}
