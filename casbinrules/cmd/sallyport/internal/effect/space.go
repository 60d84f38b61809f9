package effect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/sample"
)

// maxCrossed is how many patterns are crossed with each other.
const maxCrossed = 300

// request is an object with the pattern it was made up for.
type request struct{ pattern, object string }

// space is every request that two policies are asked about.
type space struct {
	subjects []ask.Subject
	requests []request
	actions  []string
	// other is the action that no rule names.
	other string
	notes []string
}

// size is how many questions there are.
func (s *space) size() int { return len(s.subjects) * len(s.requests) * len(s.actions) }

// newSpace makes up the requests that rules of either policy are about.
func newSpace(rules []casbinrules.Rule, who ask.Who, tenants bool) *space {
	var texts []string
	for _, r := range rules {
		texts = append(texts, r.Fields...)
	}
	word := sample.Word(texts)
	who.Stranger, who.Users = word+"-user", true
	s := &space{other: word}
	if tenants && who.Tenants == nil {
		// A tenant that neither policy names, for rules about any of them.
		who.Tenants = append(ask.Tenants(rules), word+"-tenant")
	}
	s.subjects = who.Subjects(rules, tenants)
	s.addObjects(rules, word)
	s.addActions(rules)
	return s
}

func (s *space) addObjects(rules []casbinrules.Rule, word string) {
	var patterns []casbinrules.Pattern
	for _, r := range rules {
		for _, p := range r.Objects {
			if !slices.Contains(patterns, p) {
				patterns = append(patterns, p)
			}
		}
		if strings.HasPrefix(r.Kind, "g") && r.Kind != "g" {
			s.addRequest(request{r.Fields[0], r.Fields[0]})
		}
	}
	for _, p := range patterns {
		objects := sample.Objects(p, word)
		if len(objects) == 0 {
			s.notes = append(s.notes, fmt.Sprintf("no request could be made up for %s, so its changes are not seen", p.Text))
		}
		for _, object := range objects {
			s.addRequest(request{p.Text, object})
		}
	}
	if len(patterns) > maxCrossed {
		s.notes = append(s.notes, fmt.Sprintf("with %d patterns, requests that two of them match are not made up", len(patterns)))
		return
	}
	for _, p := range patterns {
		for _, q := range patterns {
			if object, ok := sample.Cross(p, q, word); ok {
				s.addRequest(request{object, object})
			}
		}
	}
}

func (s *space) addRequest(r request) {
	if !slices.ContainsFunc(s.requests, func(have request) bool { return have.object == r.object }) {
		s.requests = append(s.requests, r)
	}
}

// addActions takes the actions that rules name, all usual methods if a rule
// has a pattern, and one that no rule names.
func (s *space) addActions(rules []casbinrules.Rule) {
	for _, r := range rules {
		for _, p := range r.Actions {
			for _, action := range sample.Actions(p) {
				if !slices.Contains(s.actions, action) {
					s.actions = append(s.actions, action)
				}
			}
		}
	}
	for _, action := range []string{"HEAD", "OPTIONS", s.other} {
		if !slices.Contains(s.actions, action) {
			s.actions = append(s.actions, action)
		}
	}
}
