package probing

import (
	"io"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/junit"
)

// WriteJUnit writes the result as JUnit XML: a case for each combination of route and
// identity without a finding, and one for each finding. Findings in the baseline are
// skipped.
func (r Result) WriteJUnit(w io.Writer) error {
	suite := junit.Suite{Name: "sallyport probe " + r.Target}
	wrong := map[string]bool{}
	for _, f := range r.Findings {
		wrong[f.Method+" "+f.Path+" "+f.As] = true
		c := junit.Case{Name: f.Method + " " + f.Path + " as " + f.As + ": " + f.Code, Class: "probe." + f.Code}
		if f.Known {
			c.Skipped = "known: the baseline has it"
		} else {
			c.Failure = &junit.Failure{Message: "got " + f.Got + ", want " + f.Want, Type: f.Code, Text: f.Detail + "\n" + f.Curl + "\n"}
		}
		suite.Cases = append(suite.Cases, c)
	}
	for _, row := range r.Table {
		for _, name := range r.table.People {
			if row.Status[name] != "" && !wrong[row.Method+" "+row.Path+" "+name] {
				suite.Cases = append(suite.Cases, junit.Case{Name: row.Method + " " + row.Path + " as " + name + ": " + row.Status[name], Class: "probe.route"})
			}
		}
	}
	return junit.Write(w, suite)
}
