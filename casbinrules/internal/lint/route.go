package lint

import (
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// routeIndex finds the routes to which an object pattern may apply.
type routeIndex struct {
	routes []route
	root   pattern.Trie[[]int]
	// found are the results so far, by object.
	found      map[string][]int
	asPatterns bool // objects are route patterns, not paths
}

type route struct {
	core.RouteInfo
	// fixed is the part before the first parameter; whole reports that there is none.
	fixed string
	whole bool
}

// newRouteIndex returns an index of the routes; plain reports that objects are
// compared literally with the patterns of routes.
func newRouteIndex(routes []core.RouteInfo, plain bool) *routeIndex {
	x := &routeIndex{found: map[string][]int{}, asPatterns: plain}
	// Only net/http and similar routers have braces, and a "/" that matches everything.
	braces := slices.ContainsFunc(routes, func(r core.RouteInfo) bool { return strings.Contains(r.Pattern, "{") })
	for i, info := range routes {
		r := route{RouteInfo: info, fixed: info.Pattern, whole: true}
		if plain {
			n := x.root.Literal(info.Pattern)
			n.Ends = append(n.Ends, i)
		} else {
			pattern, exact := strings.CutSuffix(info.Pattern, "{$}")
			subtree := !exact && strings.HasSuffix(pattern, "/") && (braces || pattern != "/")
			r.fixed, r.whole = x.add(i, pattern, subtree)
		}
		x.routes = append(x.routes, r)
	}
	return x
}

// add adds one pattern and returns its part before the first parameter, and whether
// that is all.
func (x *routeIndex) add(i int, pattern string, subtree bool) (fixed string, whole bool) {
	if len(pattern) > 1 {
		pattern = strings.TrimSuffix(pattern, "/")
	}
	fixed = pattern
	if at := strings.IndexAny(pattern, routeBytes); at >= 0 {
		fixed = pattern[:at]
	}
	n := &x.root
	for part := range strings.SplitSeq(pattern, "/") {
		switch {
		case !strings.ContainsAny(part, routeBytes):
			n = n.Literal(part)
		case strings.ContainsAny(part, "*+") || strings.HasSuffix(part, "...}") || strings.HasSuffix(part, "?"):
			n.Rests = append(n.Rests, i)
			return fixed, false
		default:
			n = n.One()
		}
	}
	n.Ends = append(n.Ends, i)
	if subtree {
		n.Rests = append(n.Rests, i)
	}
	return fixed, fixed == pattern && !subtree
}

// routeBytes are the bytes with which parameters begin.
const routeBytes = ":*+{"

// about returns the routes to which an object may apply.
func (x *routeIndex) about(c Comparison, object string) []int {
	hits, seen := x.found[object]
	if !seen {
		hits = x.search(c, object)
		slices.Sort(hits)
		hits = slices.Compact(hits)
		x.found[object] = hits
	}
	return hits
}

func (x *routeIndex) search(c Comparison, object string) (hits []int) {
	if c.star && object == "*" || pattern.MatchesAll(c.Function, object) {
		for i := range x.routes {
			hits = append(hits, i)
		}
		return hits
	}
	if !x.asPatterns && pattern.HasSegments(c.Function) {
		if segs := pattern.Split(c.Function, object); segs != nil {
			return x.overlapping(segs)
		}
	}
	if x.asPatterns && c.Function == "==" {
		return x.overlapping([]pattern.Segment{{Kind: pattern.Literal, Text: object}})
	}
	for i, r := range x.routes {
		if r.mayMatch(c, object, x.asPatterns) {
			hits = append(hits, i)
		}
	}
	return hits
}

// overlapping returns the routes that match something that segs match.
func (x *routeIndex) overlapping(segs []pattern.Segment) (hits []int) {
	x.root.Overlapping(segs, func(found *[]int) { hits = append(hits, *found...) })
	return hits
}

// mayMatch returns true if it cannot be determined.
func (r *route) mayMatch(c Comparison, object string, plain bool) bool {
	if plain {
		return c.matches(r.Pattern, object)
	}
	if r.whole {
		return c.matches(r.fixed, object)
	}
	if c.Function != "keyMatch" {
		return true
	}
	prefix, _, star := strings.Cut(object, "*")
	return strings.HasPrefix(prefix, r.fixed) || star && strings.HasPrefix(r.fixed, prefix)
}

// has reports whether an object may apply to a route with the method.
func (x *routeIndex) has(c Comparison, object, method string) bool {
	return slices.ContainsFunc(x.about(c, object), func(i int) bool {
		m := x.routes[i].Method
		return m == method || m == "" || m == "*" || method == http.MethodHead && m == http.MethodGet
	})
}

// checkRoutes compares the rules with the routes.
func (l *Linter) checkRoutes(infos []core.RouteInfo) {
	if l.routes == nil || l.shape.object.column < 0 {
		return
	}
	covered := make([]bool, len(infos))
	done := map[[3]string]bool{}
	for r := range l.policyRules() {
		object := l.object(r)
		if !l.settings.ObjectRoute && !isPath(object) && object != "*" {
			continue
		}
		hits := l.routes.about(l.shape.object, object)
		if len(hits) == 0 {
			l.reportColumn(r, l.shape.object.column, model.CodeRuleNoRoute, "correct the pattern, or remove the rule", "no route of the application has a path that %s matches", object)
			continue
		}
		if key := [3]string{object, policy.ValueAt(r, l.shape.action.column), policy.EffectOf(l.Schema, r)}; !done[key] {
			done[key] = true
			l.coverRoutes(r, hits, covered)
		}
		if !l.methodRouted(r, hits) {
			l.reportColumn(r, l.shape.action.column, model.CodeRuleNoRoute, "correct the method, or remove the rule", "the application has routes that %s matches, but none for %s", object, policy.ValueAt(r, l.shape.action.column))
		}
	}
	others := l.exceptions()
	for i, info := range infos {
		if covered[i] || !policy.IsUsual(info.Method) || info.Method == http.MethodOptions || info.Method == http.MethodHead {
			continue
		}
		l.reportPolicy(model.CodeRouteNoRule, "add a rule, unless the route has no gate two or one with a name",
			"no rule allows anybody the route "+info.Method+" "+info.Pattern+others)
	}
}

// exceptions says where the matcher makes every line count, such as where
// r.sub == "root" is true.
func (l *Linter) exceptions() string {
	var except string
	for _, c := range l.Schema.FreeClauses() {
		if c.Whole {
			except += ", unless " + l.Schema.Source(c.Node) + " is true"
		}
	}
	return except
}

// coverRoutes records which routes a rule opens to somebody.
func (l *Linter) coverRoutes(r policy.Rule, hits []int, covered []bool) {
	if policy.EffectOf(l.Schema, r) != "allow" {
		return
	}
	for _, i := range hits {
		if !covered[i] {
			covered[i] = l.actionMatches(r, l.routes.routes[i].Method)
		}
	}
}

// actionMatches returns true if it cannot be determined.
func (l *Linter) actionMatches(r policy.Rule, method string) bool {
	c := l.shape.action
	return c.column < 0 || method == "" || method == "*" || c.matches(method, policy.ValueAt(r, c.column))
}

// methodRouted reports whether a rule is for the method of one of the routes, or
// for an action that is not a method.
func (l *Linter) methodRouted(r policy.Rule, hits []int) bool {
	c := l.shape.action
	if c.column < 0 || c.Function != "==" || !isKnown(policy.ValueAt(r, c.column)) {
		return true
	}
	return slices.ContainsFunc(hits, func(i int) bool {
		method := l.routes.routes[i].Method
		return l.actionMatches(r, method) || method == http.MethodGet && policy.ValueAt(r, c.column) == http.MethodHead
	})
}
