// Package junit writes results as JUnit XML, which most systems for continuous
// integration show.
package junit

import (
	"encoding/xml"
	"io"
	"strings"
)

// Suite is a group of cases.
type Suite struct {
	Name  string
	Cases []Case
}

// Case is one thing that was looked at.
type Case struct {
	Name  string
	Class string
	// Failure is why it failed, nil for a case that passed.
	Failure *Failure
	// Skipped says why nothing is made of it, "" for a case that counts.
	Skipped string
}

// Failure is why a case failed.
type Failure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Suites   []suite  `xml:"testsuite"`
}

type suite struct {
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Skipped  int        `xml:"skipped,attr"`
	Cases    []testCase `xml:"testcase"`
}

type testCase struct {
	Name    string   `xml:"name,attr"`
	Class   string   `xml:"classname,attr"`
	Failure *Failure `xml:"failure,omitempty"`
	Skipped *skipped `xml:"skipped,omitempty"`
}

type skipped struct {
	Message string `xml:"message,attr"`
}

// Write writes suites with their counts.
func Write(w io.Writer, all ...Suite) error {
	var out suites
	for _, s := range all {
		one := suite{Name: s.Name, Tests: len(s.Cases)}
		for _, c := range s.Cases {
			written := testCase{Name: c.Name, Class: c.Class, Failure: c.Failure}
			switch {
			case c.Skipped != "":
				written.Skipped = &skipped{c.Skipped}
				one.Skipped++
			case c.Failure != nil:
				one.Failures++
			}
			one.Cases = append(one.Cases, written)
		}
		out.Tests += one.Tests
		out.Failures += one.Failures
		out.Skipped += one.Skipped
		out.Suites = append(out.Suites, one)
	}
	text, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+strings.ToValidUTF8(string(text), "�")+"\n")
	return err
}
