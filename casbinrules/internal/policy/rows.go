package policy

import (
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// ReadRows adds rules that need no parsing; file stands for a file name in
// findings.
func (r *reader) ReadRows(file string, rows [][]string) {
	r.expect(len(rows), 4*len(rows))
	r.begin(file, &source{rows: rows})
	for i, row := range rows {
		r.settings.Pace.Step()
		fields := rowFields(row)
		valid := true
		for _, f := range fields {
			if !utf8.ValidString(f.Text) {
				valid = false
				r.report(file, i+1, f.column, model.CodeEncoding, "store the text as UTF-8", "the value is not valid UTF-8")
			}
		}
		if valid || r.settings.AsCasbin {
			r.add(file, i+1, fields)
		}
	}
}

// rowFields are the fields of a row, where they would stand in a file.
func rowFields(row []string) []field {
	fields := make([]field, len(row))
	column := 1
	for n, value := range row {
		// Nothing was unquoted: a # is meant.
		fields[n] = field{Text: value, column: column, quoted: true}
		column += len(LineText([]string{value})) + len(", ")
	}
	return fields
}
