package main

import (
	_ "embed"
	"strings"
	"text/template"
)

// The templates of what users want to know, and of all that was measured.
var (
	//go:embed performance.md.tmpl
	pageText string
	//go:embed details.md.tmpl
	detailsText string
)

// write makes a page of its template.
func write(r *results, name, text string) (string, error) {
	t, err := template.New(name).Funcs(template.FuncMap{
		"fact":      func(key string) string { return orNone(r.facts[key]) },
		"summary":   func() string { return summaryTable(r) },
		"targets":   func() string { return targetTable(r) },
		"missed":    func() string { return missedTable(r) },
		"requests":  func() string { return requestTable(r) },
		"decisions": func(model, c string) string { return decisionTable(r, model, c) },
		"shapes":    func() string { return shapeTable(r) },
		"flatness":  func() string { return flatness(r) },
		"modules":   func() string { return moduleTable(r) },
		"versions":  func() string { return versionTable(r) },
		"strangers": func() string {
			return valuesTable(r, "Strangers", []column{{"kept for each", keptBytes, func(v float64) string { return size(float64(int64(v + 0.5))) }}})
		},
		"loads": func() string {
			return valuesTable(r, "Load", []column{{"time", seconds, duration}, {"live heap", liveBytes, size}, {"allocated", bytesOp, size}, {"allocations", allocsOp, digits}})
		},
		"reloads": func() string {
			return valuesTable(r, "Reload", []column{{"decisions a second", perSecond, digits}, {"longest stall", stall, duration}, {"reloads a second", reloads, digits}})
		},
		"sockets":    func() string { return socketTable(r) },
		"observed":   func() string { return observedTable(r) },
		"processors": func() string { return processorTable(r) },
		"shares":     func() string { return shareTable(r) },
		"half":       func() string { return halfTable(r) },
		"profiles":   func() string { return profiles(r) },
	}).Parse(text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := t.Execute(&b, nil); err != nil {
		return "", err
	}
	return b.String(), nil
}

// profiles shows for each target that was missed where the time goes.
func profiles(r *results) string {
	var b strings.Builder
	for _, t := range missed(r) {
		b.WriteString("### " + strings.ToUpper(t.work[:1]) + t.work[1:] + "\n\n")
		if t.profile == sharesOnPage {
			b.WriteString("The parts of a request are in performance.md.\n\n")
		} else if listing := r.profiles[t.profile]; listing != "" {
			b.WriteString("```text\n" + listing + "\n```\n\n")
		} else {
			b.WriteString("No profile was taken.\n\n")
		}
	}
	if b.Len() == 0 {
		return "All targets that were measured are reached.\n"
	}
	return strings.TrimSuffix(b.String(), "\n")
}
