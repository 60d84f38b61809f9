package lsp

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// findingsPage is the page with a section for each finding.
const findingsPage = "https://github.com/sallyport-go/sallyport/blob/main/docs/policy-diagnostics.md#"

// maxDiagnostics is the maximum number of diagnostics sent for one file; errors come first.
const maxDiagnostics = 2000

// publish sends the diagnostics of each file, and clears those of files that no longer have
// any.
func (a *analyses) publish(v *view, changes int) {
	byPath := map[string][]casbinrules.Finding{}
	for _, key := range slices.Sorted(maps.Keys(a.results)) {
		for path, found := range a.results[key].findings {
			byPath[path] = concat(byPath[path], found)
		}
	}
	for path := range v.docs {
		if _, any := byPath[path]; !any {
			byPath[path] = nil
		}
	}
	said := map[string]bool{}
	for _, path := range slices.Sorted(maps.Keys(byPath)) {
		d := v.docs[path]
		p := publishDiagnosticsParams{URI: uriOf(path), Diagnostics: []diagnostic{}}
		if d != nil {
			p.URI, p.Version = d.uri, &d.version
		} else if d = v.files().document(path); d == nil {
			continue
		}
		p.Diagnostics = append(p.Diagnostics, diagnosticsOf(d, byPath[path], v.enc)...)
		said[path] = len(p.Diagnostics) > 0
		one := publication{doc: d, diagnostics: p.Diagnostics, changes: changes}
		if l := a.results[a.projects[path].key()]; l != nil {
			one.opened, one.project = l.opened, l.project
		}
		a.mu.Lock()
		a.publications[path] = one
		a.mu.Unlock()
		a.s.out.publish(p)
	}
	for path, some := range a.published {
		if _, any := said[path]; some && !any {
			a.s.out.publish(publishDiagnosticsParams{URI: uriOf(path), Diagnostics: []diagnostic{}})
		}
	}
	a.published = said
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.publications, func(path string, _ publication) bool { _, any := said[path]; return !any })
}

// document returns the editor's version of a file, or else the one on disk; nil if it
// cannot be read.
func (o overlay) document(path string) *document {
	if d := o.docs[path]; d != nil {
		return d
	}
	text, err := o.ReadFile(path)
	if err != nil {
		return nil
	}
	return newDocument(uriOf(path), path, 0, kindOf(path, "", string(text)), string(text))
}

// diagnosticsOf returns the findings of a document without duplicates, in text order.
func diagnosticsOf(d *document, found []casbinrules.Finding, enc encoding) []diagnostic {
	inText := func(a, b casbinrules.Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	}
	if !slices.IsSortedFunc(found, inText) {
		found = slices.SortedStableFunc(slices.Values(found), inText)
	}
	found = mostSevere(found, maxDiagnostics, func(a, b *casbinrules.Finding) bool {
		return inText(*a, *b) == 0 && a.Code == b.Code && a.Hint == b.Hint && a.Severity == b.Severity
	})
	made := make([]diagnostic, len(found))
	for i, f := range found {
		start := d.findingOffset(f.Line, f.Column)
		made[i] = diagnostic{
			Range:    d.rangeOf(start, d.findingEnd(f, start), enc),
			Severity: severityOf(f.Severity), Code: f.Code, Source: "sallyport", Message: messageOf(f),
		}
		if isPolicyCode(f.Code) {
			made[i].CodeDescription = &codeDescription{findingsPage + f.Code}
		}
	}
	return made
}

// mostSevere returns at most the given number of distinct findings: all of them in their order
// or, if there are more, errors first.
func mostSevere(found []casbinrules.Finding, most int, same func(a, b *casbinrules.Finding) bool) []casbinrules.Finding {
	severities := []casbinrules.Severity{casbinrules.SeverityError, casbinrules.SeverityWarning, casbinrules.SeverityNote}
	pick := func(of func(casbinrules.Severity) bool, into []casbinrules.Finding) []casbinrules.Finding {
		for i := range found {
			if len(into) < most && of(found[i].Severity) && (i == 0 || !same(&found[i-1], &found[i])) {
				into = append(into, found[i])
			}
		}
		return into
	}
	made := make([]casbinrules.Finding, 0, min(len(found), most))
	if len(found) <= most {
		return pick(func(casbinrules.Severity) bool { return true }, made)
	}
	for _, s := range severities {
		made = pick(func(of casbinrules.Severity) bool { return of == s }, made)
	}
	return made
}

func severityOf(s casbinrules.Severity) int {
	switch s {
	case casbinrules.SeverityError:
		return severityError
	case casbinrules.SeverityWarning:
		return severityWarning
	}
	return severityInformation
}

func messageOf(f casbinrules.Finding) string {
	if f.Hint == "" {
		return f.Message
	}
	return f.Message + " (" + f.Hint + ")"
}

// isPolicyCode reports whether a code is documented on the page of findings, as opposed to
// codes of tests.
func isPolicyCode(code string) bool {
	return code != "" && code != codeNoModel && !strings.HasPrefix(code, "test_")
}

// findingEnd returns the offset at which a finding that begins at start ends: the end of
// its policy field, or of the line.
func (d *document) findingEnd(f casbinrules.Finding, start int) int {
	if f.Line < 1 || f.Line > d.lines() {
		return start
	}
	from := d.feeds[f.Line-1]
	line := d.line(f.Line - 1)
	end := from + len(strings.TrimRight(line, " \t"))
	if end < start {
		end = from + len(line)
	}
	if d.kind != KindPolicy {
		return end
	}
	for i, field := range splitFields(line) {
		if i > 0 && from+field.start <= start && start < from+field.end {
			return from + field.end
		}
	}
	return end
}
