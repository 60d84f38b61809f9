// Package junit writes results as JUnit XML, which most CI systems display. There is no
// standard for it: the output is valid for both schemas in wide use, that of Jenkins
// (junit-10.xsd) and that of Ant's reports (JUnit.xsd by Windy Road).
package junit

import (
	"encoding/xml"
	"io"
	"strings"
	"time"
)

// Suite is a group of cases.
type Suite struct {
	Name  string
	Cases []Case
}

// Case is one thing that was checked.
type Case struct {
	Name  string
	Class string
	// Failure is nil for a case that passed.
	Failure *Failure
	// Skipped says why the case does not count; "" if it does.
	Skipped string
}

// Failure says why a case failed.
type Failure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

type suites struct {
	XMLName xml.Name `xml:"testsuites"`
	Suites  []suite  `xml:"testsuite"`
}

type suite struct {
	Name       string     `xml:"name,attr"`
	Package    string     `xml:"package,attr"`
	ID         int        `xml:"id,attr"`
	Timestamp  string     `xml:"timestamp,attr"`
	Hostname   string     `xml:"hostname,attr"`
	Tests      int        `xml:"tests,attr"`
	Failures   int        `xml:"failures,attr"`
	Errors     int        `xml:"errors,attr"`
	Skipped    int        `xml:"skipped,attr"`
	Time       string     `xml:"time,attr"`
	Properties struct{}   `xml:"properties"`
	Cases      []testCase `xml:"testcase"`
	Out        string     `xml:"system-out"`
	Err        string     `xml:"system-err"`
}

type testCase struct {
	Name    string   `xml:"name,attr"`
	Class   string   `xml:"classname,attr"`
	Time    string   `xml:"time,attr"`
	Failure *Failure `xml:"failure,omitempty"`
	Skipped *skipped `xml:"skipped,omitempty"`
}

type skipped struct {
	Message string `xml:"message,attr"`
}

// Attributes that are required by schemas, but are not measured here.
const (
	noTime = "0"
	noHost = "localhost"
)

// Write writes suites with their counts. Characters not allowed in XML 1.0 are replaced by
// U+FFFD.
func Write(w io.Writer, all ...Suite) error {
	var out suites
	now := time.Now().UTC().Format("2006-01-02T15:04:05")
	for i, s := range all {
		one := suite{Name: s.Name, Package: s.Name, ID: i, Timestamp: now, Hostname: noHost, Tests: len(s.Cases), Time: noTime}
		for _, c := range s.Cases {
			written := testCase{Name: c.Name, Class: c.Class, Time: noTime}
			switch {
			case c.Skipped != "":
				written.Skipped = &skipped{c.Skipped}
				one.Skipped++
			case c.Failure != nil:
				written.Failure = c.Failure
				one.Failures++
			}
			one.Cases = append(one.Cases, written)
		}
		out.Suites = append(out.Suites, one)
	}
	text, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+strings.ToValidUTF8(string(text), "�")+"\n")
	return err
}
