package probing

import (
	"encoding/json"
	"io"
	"os"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/sallyport-go/sallyport/core/probe"
)

// page is the page that explains the findings.
const page = "https://github.com/sallyport-go/sallyport/blob/main/docs/probe.md#"

// Places finds the line of a route in the file of routes, since code hosts show results
// next to lines.
type Places struct {
	// File is the file of routes; if "", results refer to URLs.
	File  string
	lines []string
}

// NewPlaces reads the file of routes, if there is one.
func NewPlaces(file string) Places {
	p := Places{File: file}
	if text, err := os.ReadFile(file); file != "" && err == nil {
		p.lines = strings.Split(string(text), "\n")
	}
	return p
}

// line returns the line of the first mention of a pattern, or 1.
func (p Places) line(pattern string) int {
	for i, line := range p.lines {
		if pattern != "" && (strings.Contains(line, `"`+pattern+`"`) || strings.HasPrefix(strings.TrimSpace(line), pattern+":")) {
			return i + 1
		}
	}
	return 1
}

// WriteSARIF writes the findings as SARIF 2.1.0. Those in the baseline are suppressed.
func (r Result) WriteSARIF(w io.Writer, places Places, routes []probe.Route) error {
	run := sarif.NewRunWithInformationURI("sallyport probe", "https://github.com/sallyport-go/sallyport")
	run.WithColumnKind("unicodeCodePoints")
	for _, f := range probe.Faults() {
		run.AddRule(f.Name).WithName(f.Name).WithHelpURI(page + f.Name).
			WithShortDescription(sarif.NewMultiformatMessageString().WithText(f.Title)).
			WithHelp(sarif.NewMultiformatMessageString().WithText(f.Title + " See " + page + f.Name + "."))
	}
	for _, f := range r.Findings {
		location := sarif.NewPhysicalLocation()
		if places.File != "" {
			pattern := ""
			if i := f.Request.Route; i >= 0 && i < len(routes) {
				pattern = routes[i].Pattern
			}
			location.WithArtifactLocation(sarif.NewSimpleArtifactLocation(strings.TrimPrefix(places.File, "./"))).
				WithRegion(sarif.NewSimpleRegion(places.line(pattern), places.line(pattern)))
		} else {
			location.WithArtifactLocation(sarif.NewSimpleArtifactLocation(r.Target)).WithRegion(sarif.NewSimpleRegion(1, 1))
		}
		text := f.Method + " " + f.Path + " as " + f.As + ": got " + f.Got + ", want " + f.Want + ". " + f.Detail + "\n" + f.Curl
		result := sarif.NewRuleResult(f.Code).WithLevel("error").WithMessage(sarif.NewTextMessage(text)).
			AddLocation(sarif.NewLocationWithPhysicalLocation(location)).
			WithPartialFingerprints(map[string]string{"probe/v1": f.Code + " " + f.Method + " " + f.Path + " " + f.As})
		if f.Known {
			result.AddSuppression(sarif.NewSuppression().WithKind("external"))
		}
		run.AddResult(result)
	}
	all := report.NewV210Report()
	all.AddRun(run)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(all)
}
