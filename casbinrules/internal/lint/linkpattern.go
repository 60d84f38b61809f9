package lint

import (
	"fmt"
	"regexp/syntax"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// checkLinkPatterns checks the texts that role links make patterns, which most
// names are not meant to be.
func (l *Linter) checkLinkPatterns() {
	if len(l.settings.RolePatterns) == 0 && l.Schema.TenantPatterns("g") == "" {
		return
	}
	type use struct {
		function string
		text     int32
	}
	known := map[use][]advice{}
	for _, r := range l.Rules.All() {
		l.settings.Pace.Step()
		for i, function := range l.namePatterns(r.Kind()) {
			if function == "" {
				continue
			}
			at := use{function, r.Number(i)}
			told, seen := known[at]
			if !seen {
				told = adviseLinked(function, r.Field(i))
				known[at] = told
			}
			for _, a := range told {
				l.report(r, i+1, a.code, a.hint, "%s", a.message)
			}
		}
	}
}

// namePatterns returns the functions by which the fields of a kind of lines are patterns
// because of role links, nil if there are none.
func (l *Linter) namePatterns(kind string) []string {
	if functions, known := l.patterned[kind]; known {
		return functions
	}
	functions, some := make([]string, l.width(kind)), false
	for i := range functions {
		functions[i] = l.Schema.NamePattern(kind, i)
		some = some || functions[i] != ""
	}
	for _, p := range l.Schema.Patterns { // of tenants; objects are checked elsewhere
		if kind == "p" && p.Function == "keyMatch" && p.Column != l.shape.object.column && l.Schema.TenantPatterns("g") != "" {
			functions[p.Column], some = p.Function, true
		}
	}
	if !some {
		functions = nil
	}
	if l.patterned == nil {
		l.patterned = map[string][]string{}
	}
	l.patterned[kind] = functions
	return functions
}

// width returns the number of fields of a line of a kind.
func (l *Linter) width(kind string) int {
	if kind == "p" {
		return len(l.Schema.Columns)
	}
	return l.Schema.Roles[kind]
}

// adviseLinked checks one text of role links.
func adviseLinked(function, text string) []advice {
	if !pattern.IsPattern(function, text) || pattern.Check(function, text) != nil {
		return nil
	}
	if function == "regexMatch" {
		if re, err := syntax.Parse(text, syntax.Perl); err != nil || isAnchored(re) {
			return nil
		}
		return []advice{{model.CodeUnanchored, fmt.Sprintf("%q also matches longer names that it is a part of", text), "write ^(?:" + text + ")$"}}
	}
	for _, a := range (Comparison{Function: function}).adviseStar(text) {
		if a.code == model.CodeMisplacedStar {
			return []advice{a}
		}
	}
	if isRegexp(function) {
		return adviseRegexp(text)
	}
	return nil
}

// checkAnonymousPatterns finds patterns that give requests without credentials what
// is meant for users.
func (l *Linter) checkAnonymousPatterns() {
	if !l.settings.Anonymous || len(l.settings.RolePatterns) == 0 {
		return
	}
	for _, r := range l.Rules.All() {
		column := 0
		if r.IsPolicy() {
			column = l.shape.subject
		} else if !r.IsLink() {
			continue
		}
		functions, text := l.namePatterns(r.Kind()), policy.ValueAt(r, column)
		if functions == nil || column < 0 {
			continue
		}
		function := functions[column]
		if function != "" && text != policy.Anonymous && pattern.IsPattern(function, text) && pattern.Match(function, policy.Anonymous, text) {
			l.report(r, column+1, model.CodeAnonymous, "write a pattern that anonymous does not match, if only users are meant",
				"the pattern also matches requests without credentials, whose subject is %s", policy.Anonymous)
		}
	}
}
