package policy

import (
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// ReadRows adds rules that are already split into fields; file is the file name in
// findings.
func (r *reader) ReadRows(file string, rows [][]string) {
	r.reserve(len(rows), 4*len(rows))
	r.beginSource(file, &source{rows: rows})
	for i, row := range rows {
		r.settings.Pace.Step()
		r.fields = rowFields(r.fields[:0], row)
		valid := true
		for _, f := range r.fields {
			if !utf8.ValidString(f.Text) {
				valid = false
				r.report(file, i+1, f.column, model.CodeEncoding, "store the text as UTF-8", "the value is not valid UTF-8")
			}
		}
		if valid || r.settings.AsCasbin {
			r.add(file, i+1, r.fields)
		}
	}
}

// rowFields appends the fields of a row to fields, with the columns that they would
// have in a file.
func rowFields(fields []field, row []string) []field {
	column := 1
	for _, value := range row {
		// Counts as quoted, so that a # is literal.
		fields = append(fields, field{Text: value, column: column, quoted: true})
		column += len(quoteField(value)) + len(", ")
	}
	return fields
}
