package probing

import (
	"encoding/xml"
	"io"
	"strings"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name      string        `xml:"name,attr"`
	ClassName string        `xml:"classname,attr"`
	Failure   *junitFailure `xml:"failure,omitempty"`
	Skipped   *junitSkipped `xml:"skipped,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

// WriteJUnit writes the result as JUnit XML: a case for each route and everybody
// who asked that nothing is wrong with, and one for each finding. Findings of the
// baseline are skipped.
func (r Result) WriteJUnit(w io.Writer) error {
	suite := junitSuite{Name: "sallyport probe " + r.Target}
	wrong := map[string]bool{}
	for _, f := range r.Findings {
		wrong[f.Method+" "+f.Path+" "+f.As] = true
		c := junitCase{Name: f.Method + " " + f.Path + " as " + f.As + ": " + f.Code, ClassName: "probe." + f.Code}
		if f.Known {
			c.Skipped = &junitSkipped{"known: the baseline has it"}
			suite.Skipped++
		} else {
			c.Failure = &junitFailure{"got " + f.Got + ", want " + f.Want, f.Code, f.Detail + "\n" + f.Curl + "\n"}
			suite.Failures++
		}
		suite.Cases = append(suite.Cases, c)
	}
	for _, row := range r.Table {
		for _, name := range r.table.People {
			if row.Status[name] != "" && !wrong[row.Method+" "+row.Path+" "+name] {
				suite.Cases = append(suite.Cases, junitCase{Name: row.Method + " " + row.Path + " as " + name + ": " + row.Status[name], ClassName: "probe.route"})
			}
		}
	}
	suite.Tests = len(suite.Cases)
	text, err := xml.MarshalIndent(junitSuites{Tests: suite.Tests, Failures: suite.Failures, Skipped: suite.Skipped, Suites: []junitSuite{suite}}, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+strings.ToValidUTF8(string(text), "�")+"\n")
	return err
}
