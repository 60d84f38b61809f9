package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// CheckConstraints reports the g lines that violate a constraint of the model,
// counted as in Casbin v3: each line by its first two fields, whatever its tenant,
// and without roles of roles.
func (r *reader) CheckConstraints() {
	for _, c := range r.schema.File.Constraints {
		switch c.Kind {
		case model.ConstraintRoles:
			r.checkRolesTogether(c)
		case model.ConstraintSubjects:
			r.checkRoleCount(c)
		case model.ConstraintRequires:
			r.checkRequired(c)
		}
	}
}

// eachAssignment yields the g lines that assign one of roles.
func (r *reader) eachAssignment(roles []string, yield func(made Rule, subject, role string)) {
	for _, made := range r.Rules.All() {
		r.settings.Pace.Step()
		if made.IsLink() && slices.Contains(roles, made.Field(1)) {
			yield(made, made.Field(0), made.Field(1))
		}
	}
}

func (r *reader) violated(made Rule, c model.Constraint, hint, format string, args ...any) {
	r.reportRule(made, 2, model.CodeConstraint, hint, "%s, which the constraint %s of line %d of the model forbids",
		fmt.Sprintf(format, args...), c.Text, c.At.Line)
}

func (r *reader) checkRolesTogether(c model.Constraint) {
	held := map[string][]string{}
	r.eachAssignment(c.Roles, func(made Rule, subject, role string) {
		if slices.Contains(held[subject], role) {
			return // in another tenant
		}
		held[subject] = append(held[subject], role)
		if len(held[subject]) > c.Max {
			r.violated(made, c, "remove one of the roles", "%q has the roles %s together", subject, strings.Join(held[subject], ", "))
		}
	})
}

func (r *reader) checkRoleCount(c model.Constraint) {
	count := 0
	r.eachAssignment(c.Roles, func(made Rule, _, role string) {
		if count++; count > c.Max {
			r.violated(made, c, "remove the role from somebody", "the role %q is assigned %d times", role, count)
		}
	})
}

func (r *reader) checkRequired(c model.Constraint) {
	has := map[string]bool{}
	r.eachAssignment(c.Roles[1:], func(_ Rule, subject, _ string) { has[subject] = true })
	r.eachAssignment(c.Roles[:1], func(made Rule, subject, role string) {
		if !has[subject] {
			r.violated(made, c, "give it the role "+c.Roles[1]+" too", "%q has the role %s without %s", subject, role, c.Roles[1])
		}
	})
}
