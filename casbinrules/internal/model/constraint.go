package model

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Constraint is one definition of [constraint_definition], which says which role
// links a policy may not have. It was introduced by Casbin v3, but is checked for
// every major version.
type Constraint struct {
	At Position
	// Text is the definition without its key.
	Text string
	Kind ConstraintKind
	// Roles are those of which one subject may have Max; or the one that is limited
	// to Max lines; or the one that requires the other, and that other.
	Roles []string
	Max   int
}

type ConstraintKind int

const (
	ConstraintRoles    ConstraintKind = iota // sod and sodMax: Max of Roles for one subject
	ConstraintSubjects                       // roleMax: Max lines that assign Roles[0]
	ConstraintRequires                       // rolePre: Roles[0] only beside Roles[1]
)

// constraintForms lists the possible forms.
const constraintForms = `the forms are sod("a", "b"), sodMax(["a", "b"], 1), roleMax("a", 2) and rolePre("a", "b")`

var (
	constraintCall  = regexp.MustCompile(`^(\w+)\s*\((.*)\)$`)
	constraintRoles = regexp.MustCompile(`^\s*"([^",\[\]]+)"\s*,\s*"([^",\[\]]+)"\s*$`)
	constraintList  = regexp.MustCompile(`^\s*\[([^\[\]]+)\]\s*,\s*(\d+)\s*$`)
	constraintMax   = regexp.MustCompile(`^\s*"([^",\[\]]+)"\s*,\s*(\d+)\s*$`)
	constraintName  = regexp.MustCompile(`^\s*"([^",\[\]]+)"\s*$`)
)

// isConstraintKey reports whether key is "c2", "c3", … or "c10".
func isConstraintKey(key string) bool {
	n, err := strconv.Atoi(strings.TrimPrefix(key, "c"))
	return err == nil && n > 1 && key == "c"+strconv.Itoa(n)
}

// readConstraints parses the constraints, and refuses those that would not be checked.
func (f *File) readConstraints() {
	var keys []string
	for key := range f.At {
		if key[0] == 'c' {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Compare(constraintNumber(a), constraintNumber(b)) })
	for i, key := range keys {
		at := f.At[key]
		if constraintNumber(key) != i+1 {
			f.Report(at, CodeModelConstraint, "number constraints c, c2, c3 without a gap", "Casbin does not see constraint %q", key)
			continue
		}
		c, err := parseConstraint(f.definitionText(key))
		switch {
		case err != nil:
			f.Report(at, CodeModelConstraint, constraintForms, "constraint %q: %s", key, err)
			continue
		case f.At["g"] == Position{}:
			f.Report(at, CodeModelConstraint, "define g", "constraint %q is about role links, and the model has no role definition g", key)
			continue
		}
		c.At = at
		f.Constraints = append(f.Constraints, c)
	}
}

// constraintNumber returns the number in a key, 1 for "c".
func constraintNumber(key string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(key, "c"))
	if err != nil {
		return 1
	}
	return n
}

// definitionText returns the text of a definition after its "=", in one line and
// without comments, as Casbin reads it.
func (f *File) definitionText(key string) string {
	var b strings.Builder
	for _, line := range f.lines[key] {
		b.WriteString(uncommented(strings.TrimSuffix(line.text, `\`)) + " ")
	}
	_, text, _ := strings.Cut(b.String(), "=")
	return strings.TrimSpace(text)
}

func parseConstraint(text string) (Constraint, error) {
	call := constraintCall.FindStringSubmatch(text)
	if call == nil {
		return Constraint{}, fmt.Errorf("%q is not a call", text)
	}
	c := Constraint{Text: text, Max: 1}
	number := ""
	switch name, args := call[1], call[2]; name {
	case "sod", "rolePre":
		if m := constraintRoles.FindStringSubmatch(args); m != nil {
			c.Roles = m[1:]
		}
		if name == "rolePre" {
			c.Kind = ConstraintRequires
		}
	case "sodMax":
		if m := constraintList.FindStringSubmatch(args); m != nil {
			c.Roles, number = listedRoles(m[1]), m[2]
		}
	case "roleMax":
		c.Kind = ConstraintSubjects
		if m := constraintMax.FindStringSubmatch(args); m != nil {
			c.Roles, number = m[1:2], m[2]
		}
	default:
		return c, fmt.Errorf("unknown constraint %q", name)
	}
	if c.Roles == nil {
		return c, fmt.Errorf("%s does not take these arguments", call[1])
	}
	for i, role := range c.Roles {
		if slices.Contains(c.Roles[:i], role) {
			return c, fmt.Errorf("it names the role %q twice", role)
		}
	}
	if number != "" {
		var err error
		if c.Max, err = strconv.Atoi(number); err != nil {
			return c, fmt.Errorf("%s is too large", number)
		}
	}
	return c, nil
}

// listedRoles returns the names in a list, or nil.
func listedRoles(list string) []string {
	var roles []string
	for part := range strings.SplitSeq(list, ",") {
		m := constraintName.FindStringSubmatch(part)
		if m == nil {
			return nil
		}
		roles = append(roles, m[1])
	}
	return roles
}
