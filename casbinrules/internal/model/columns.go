package model

import (
	"slices"
	"strings"
)

// LiteralFields are the request fields that columns are compared with as they
// are, by ==, or by way of role links; "" for columns that anything else of the
// matcher looks at.
func (s *Schema) LiteralFields() []string {
	fields, uses := make([]string, len(s.Columns)), make([]int, len(s.Columns))
	use := func(column int, field string) {
		if column < 0 {
			return
		}
		uses[column]++
		if field != "" {
			fields[column] = field
		}
	}
	for i := 1; i+1 < len(s.MatcherTokens); i++ {
		left, right := s.MatcherTokens[i-1].Text, s.MatcherTokens[i+1].Text
		if s.MatcherTokens[i].Kind != TokenOther || s.MatcherTokens[i].Text != "==" {
			continue
		}
		if strings.HasPrefix(left, "r_") {
			use(s.Column(right), left)
		} else if strings.HasPrefix(right, "r_") {
			use(s.Column(left), right)
		}
	}
	for _, c := range s.RoleCalls() {
		use(c.Column, c.Field)
		use(s.Column(c.Arg(2).Text), "")
	}
	for _, t := range s.MatcherTokens {
		if column := s.Column(t.Text); t.Kind == TokenName && column >= 0 {
			uses[column]--
		}
	}
	for column, n := range uses {
		if n != 0 {
			fields[column] = ""
		}
	}
	return fields
}

// TenantName is what the request definition calls the tenant, or "".
func (s *Schema) TenantName() string {
	for i, name := range s.Names("r") {
		if s.Request[i] == FieldTenant {
			return name
		}
	}
	return ""
}

// ComparedWith are the policy fields that one request field is compared with.
func (s *Schema) ComparedWith(field string) []PatternColumn {
	var found []PatternColumn
	add := func(column int, function string) {
		if c := (PatternColumn{column, function}); column >= 0 && !slices.Contains(found, c) {
			found = append(found, c)
		}
	}
	if field == "" {
		return nil
	}
	for _, name := range compared(s.MatcherTokens, "r_"+field) {
		add(s.Column(name), "==")
	}
	for _, c := range append(Calls(s.MatcherTokens), regexpOperators(s.MatcherTokens)...) {
		if c.Arg(0).Text == "r_"+field {
			add(s.Column(c.Arg(1).Text), c.Name)
		}
	}
	for _, c := range s.RoleCalls() {
		if c.Reversed && c.Field == "r_"+field {
			add(c.Column, c.Name)
		}
	}
	return found
}

// ObjectColumns are the columns that hold objects or may have to do with them.
func (s *Schema) ObjectColumns() (columns []int) {
	objects, tenants := s.ComparedWith("obj"), s.ComparedWith(s.TenantName())
	holds := func(c []PatternColumn, column int) bool {
		return slices.ContainsFunc(c, func(p PatternColumn) bool { return p.Column == column })
	}
	for i := range s.Columns {
		other := i == s.Eft || i == s.Priority || slices.Contains(s.Subjects, i) || slices.Contains(s.Actions, i) || holds(tenants, i)
		if !other || holds(objects, i) {
			columns = append(columns, i)
		}
	}
	return columns
}
