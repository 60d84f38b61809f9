package audit

import (
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/matrix"
)

type column struct {
	label string
	index int // in the matrix
	// attributes are those of the subjects that share the column.
	attributes []string
}

// columns returns the columns with content. Subjects for which no line decides anything are
// listed beside the table, and a subject whose attributes make no difference has a single
// column.
func columns(m *matrix.Matrix) (shown []column, idle []string) {
	of := map[string][]column{} // by subject, without its attributes
	var order []string
	for i, s := range m.Columns {
		attributes := s.Attributes.String()
		s.Attributes = nil
		subject := string(s.Kind) + " " + s.Label()
		variants, known := of[subject]
		if !known {
			order = append(order, subject)
		}
		same := false
		for k := range variants {
			if same = equalColumns(m, variants[k].index, i); same {
				variants[k].attributes = append(variants[k].attributes, attributes)
				break
			}
		}
		if !same {
			variants = append(variants, column{label: s.Label(), index: i, attributes: []string{attributes}})
		}
		of[subject] = variants
	}
	for _, subject := range order {
		variants := of[subject]
		for _, c := range variants {
			if all := len(variants) == 1 && len(c.attributes) > 1; !all {
				c.label = strings.TrimSpace(c.label + " " + strings.Join(c.attributes, " or "))
			}
			if undecided(m, c.index) {
				idle = append(idle, c.label)
			} else {
				shown = append(shown, c)
			}
		}
	}
	return shown, idle
}

func equalColumns(m *matrix.Matrix, a, b int) bool {
	for _, cells := range m.Cells {
		if x, y := cells[a], cells[b]; x.Word() != y.Word() || x.Rule != y.Rule {
			return false
		}
	}
	return true
}

// undecided reports whether no policy line decides any cell of a column.
func undecided(m *matrix.Matrix, at int) bool {
	for _, cells := range m.Cells {
		if c := cells[at]; c.Allowed || c.Rule != nil || c.Err != "" {
			return false
		}
	}
	return true
}
