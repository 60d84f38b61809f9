package model

import (
	"cmp"
	"slices"
	"strings"
)

// LiteralFields returns, for each column, the request field that it is compared with
// by == or through role links; "" for columns that the matcher also uses otherwise.
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
	for n := range s.Tree.All() {
		if column := s.Column(n.Name()); column >= 0 {
			uses[column]--
		}
		if n.Kind != NodeCompare || n.Text != "==" {
			continue
		}
		left, right := n.Parts[0].Name(), n.Parts[1].Name()
		if !strings.HasPrefix(left, "r_") {
			left, right = right, left
		}
		if strings.HasPrefix(left, "r_") {
			use(s.Column(right), left)
		}
	}
	for _, c := range s.RoleCalls() {
		use(c.Column, c.Field)
		use(s.Column(c.Arg(2).Name()), "")
	}
	for column, n := range uses {
		if n != 0 {
			fields[column] = ""
		}
	}
	return fields
}

// TenantName returns the name of the tenant in the request definition, or "".
func (s *Schema) TenantName() string {
	for i, name := range s.Names("r") {
		if s.Request[i] == FieldTenant {
			return name
		}
	}
	return ""
}

// ComparedWith returns the policy fields that a request field is compared with. For
// the tenant, they include those that role calls take as their tenant.
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
	for _, name := range s.comparedNames("r_" + field) {
		add(s.Column(name), "==")
	}
	for _, c := range s.patternCalls() {
		if c.Arg(0).Name() == "r_"+field {
			add(s.Column(c.Arg(1).Name()), c.Text)
		}
	}
	for _, c := range s.RoleCalls() {
		if c.Reversed && c.Field == "r_"+field {
			add(c.Column, c.Text)
		}
		if field == s.TenantName() {
			add(s.Column(c.Arg(2).Name()), cmp.Or(s.TenantPatterns(c.Text), "=="))
		}
	}
	return found
}

// ObjectColumns returns the columns that contain objects or may be related to them.
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

// ColumnsIn returns the columns that a part of the matcher uses, each once.
func (s *Schema) ColumnsIn(n *Node) []int {
	var columns []int
	for part := range n.All() {
		columns = AddColumn(columns, s.Column(part.Name()))
	}
	return columns
}
