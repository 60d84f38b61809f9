package lsp

import (
	"regexp"
	"strings"
)

// The matcher is searched for names as a text in which tokens are separated by spaces. N:
// stands before a field that holds names of the domain, A: before a field of the request
// that may hold them, Q: for a quoted text, K: before a kind of role links between names
// of the domain, and T: before a kind whose links have the domain as their third field.
var (
	// comparesNames matches conditions that only ask whether names are the same, or linked.
	comparesNames = regexp.MustCompile(`K:\S+ \( [NAQ]:\S* , [NAQ]:\S* (?:, [^N]\S* )?\)|` +
		`T:\S+ \( [^N]\S* , [^N]\S* , [NAQ]:\S* \)|` +
		`[NAQ]:\S* in \( [NAQ]:\S*(?: , [NAQ]:\S*)* \)|` +
		`[NAQ]:\S* [=!] = [NAQ]:\S*|` +
		`\b(?:keyMatch[2-5]?|globMatch|regexMatch) \( N:r\S+ , N:p\S+ \)`) // see patternConflict
	// computes matches a comparison with a text that is put together.
	computes = regexp.MustCompile(`[-+*/%] B\b|\bB [-+*/%]`)
	fieldIn  = regexp.MustCompile(`A:(\S+)`)
)

// comparesOnly reports whether the matcher only asks whether names of a domain are the same,
// or linked, unlike keyMatch(p.sub, "adm-*"). Fields that are compared with names hold names
// themselves.
func (p *policy) comparesOnly(domain string) bool {
	names := map[string]bool{}
	for field, of := range usualFields {
		names["r."+field] = of == domain
	}
	for i, column := range p.schema.columns {
		names["p."+column] = p.schema.domains["p"][i] == domain
	}
	for {
		known := len(names)
		text := comparesNames.ReplaceAllStringFunc(p.matcherText(domain, names), func(condition string) string {
			if strings.Contains(condition, "N:") {
				for _, field := range fieldIn.FindAllStringSubmatch(condition, -1) {
					names[field[1]] = true
				}
			}
			return "B"
		})
		if strings.Contains(text, "N:") || computes.MatchString(text) {
			return false
		}
		if len(names) == known {
			return true
		}
	}
}

// matcherText returns the matchers as a text for comparesNames. The conditions of eval are
// in the policy, and may say anything of names.
func (p *policy) matcherText(domain string, names map[string]bool) string {
	var words []string
	kinds := p.schema.model.roleKinds()
	for _, d := range p.schema.model.definitions {
		if d.section != "matchers" {
			continue
		}
		for _, t := range d.value {
			field := t.text
			if strings.HasPrefix(field, "r_") || strings.HasPrefix(field, "p_") {
				field = field[:1] + "." + field[2:]
			}
			_, usual := names[field]
			switch {
			case t.quoted:
				field = "Q:"
			case names[field] || field == "eval":
				field = "N:" + field
			case strings.HasPrefix(field, "r.") && !usual:
				field = "A:" + field
			case kinds[field] > 0 && p.schema.domain(field, 1) == domain:
				field = "K:" + field
			case kinds[field] > 0 && p.schema.domain(field, 3) == domain:
				field = "T:" + field
			}
			words = append(words, field)
		}
		words = append(words, ";")
	}
	return strings.Join(words, " ")
}
