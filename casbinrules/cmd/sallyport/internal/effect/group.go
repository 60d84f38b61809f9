package effect

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/distinct"
)

// attributed separates subjects that change by themselves from those that change only
// through a role of theirs. The latter are listed with the change of the role.
func (c *comparison) attributed() (direct []difference, also map[difference][]string) {
	index := map[difference][]int{}
	for _, d := range c.found {
		index[d.anybody()] = append(index[d.anybody()], d.subject)
	}
	also = map[difference][]string{}
	for _, d := range c.found {
		root := c.root(d, index)
		if root == d {
			direct = append(direct, d)
			continue
		}
		if self := c.space.subjects[d.subject]; self.Kind == ask.Pair || self.IsNamed(c.space.subjects[root.subject], c.space.prefix) {
			continue // one subject of the pair is reported
		}
		also[root] = append(also[root], c.space.subjects[d.subject].Name)
	}
	return direct, also
}

// readRoles records the roles of every subject in both policies.
func (c *comparison) readRoles(ctx context.Context) error {
	for gains, a := range map[bool]*policy{false: c.before, true: c.after} {
		all := make([][]string, len(c.space.subjects))
		for i, s := range c.space.subjects {
			var err error
			if all[i], err = a.RolesOfSubject(ctx, s); err != nil {
				return err
			}
			if s.Kind == ask.Pair {
				all[i] = append(slices.Clone(all[i]), s.Roles()...)
			}
		}
		c.roles[gains] = all
	}
	return nil
}

// anybody returns the difference without its subject, by which attributed lists those of
// all subjects.
func (d difference) anybody() difference {
	d.subject = 0
	return d
}

// root returns the difference from which d ultimately follows. If roles form a cycle, it is
// that of the first subject in the cycle.
func (c *comparison) root(d difference, index map[difference][]int) difference {
	var way []difference
	for {
		if at := slices.Index(way, d); at >= 0 {
			return slices.MinFunc(way[at:], func(a, b difference) int { return a.subject - b.subject })
		}
		way = append(way, d)
		next, ok := c.source(d, index)
		if !ok {
			return d
		}
		d = next
	}
}

// source returns the difference that d follows from: the same one for a subject without the
// role, or for a role that the subject has in the policy that allows.
func (c *comparison) source(d difference, index map[difference][]int) (difference, bool) {
	self := c.space.subjects[d.subject]
	for _, i := range index[d.anybody()] {
		s, same := c.space.subjects[i], d
		same.subject = i
		if i == d.subject || s.Tenant != self.Tenant || s.Attributes != self.Attributes {
			continue
		}
		if s.Kind == ask.Stranger || s.Kind == ask.User && self.IsPlus(s) || self.IsNamed(s, c.space.prefix) || s.Kind == ask.Role && slices.Contains(c.roles[d.gains][d.subject], s.Name) {
			return same, true
		}
	}
	return d, false
}

// key is what differences are grouped by: everything except the action.
type key struct {
	gains   bool
	subject int
	request int
	from    string
	place
}

func (d dated) key() key { return key{d.gains, d.subject, d.request, d.from, d.place} }

// grouped merges the differences into one change for each subject, object and line.
func (c *comparison) grouped() []Change {
	var order []key
	actions, also := map[key][]string{}, map[key][]string{}
	for _, d := range c.results {
		k := d.key()
		if actions[k] == nil {
			order = append(order, k)
		}
		actions[k] = append(actions[k], c.space.actions[d.action])
		also[k] = distinct.Add(also[k], c.also[d.difference]...)
	}
	changes := map[bool][]Change{} // by whether access is gained
	for _, k := range order {
		if c.followsFromPattern(k, actions) {
			continue
		}
		s, r := c.space.subjects[k.subject], c.space.requests[k.request]
		changes[k.gains] = append(changes[k.gains], Change{
			Gains: k.gains, Kind: s.Kind, Subject: s.Name, Tenant: s.Tenant, From: k.from, Attributes: valuesOf(s.Attributes),
			Actions: c.summarize(actions[k]), Object: r.pattern, Sample: r.object, Rule: k.rule, Old: k.old, Also: also[k],
		})
	}
	return append(append([]Change{}, changes[true]...), changes[false]...)
}

func valuesOf(a *ask.Assignment) map[string][]string {
	if a == nil {
		return nil
	}
	values := map[string][]string{}
	for i, name := range a.Names {
		values[name] = []string{a.Values[i]}
	}
	return values
}

// mergeByAttribute merges changes that differ only in the values of one attribute, for one attribute
// after another.
func mergeByAttribute(changes []Change) []Change {
	names := map[string]bool{}
	for _, c := range changes {
		for name := range c.Attributes {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		kept := changes[:0:0]
		at := map[string]int{} // in kept
		for _, c := range changes {
			rest := c
			rest.Attributes = maps.Clone(c.Attributes)
			delete(rest.Attributes, name)
			key := fmt.Sprintf("%#v", rest)
			if i, ok := at[key]; ok {
				kept[i].Attributes[name] = append(kept[i].Attributes[name], c.Attributes[name]...)
				continue
			}
			at[key] = len(kept)
			kept = append(kept, c)
		}
		changes = kept
	}
	return changes
}

// followsFromPattern reports whether an earlier request shows the same change by the same
// line: the request for the line's own pattern, or another one.
func (c *comparison) followsFromPattern(k key, actions map[key][]string) bool {
	if k.rule == "" {
		return false
	}
	own := c.objectsOf(k)
	for i, r := range c.space.requests {
		if i == k.request || !slices.Contains(own, r.pattern) {
			continue
		}
		if r.pattern == c.space.requests[k.request].pattern && i > k.request {
			continue
		}
		other := k
		other.request = i
		if subset(actions[k], actions[other]) {
			return true
		}
	}
	return false
}

func subset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// objectsOf returns the object patterns of the line that decides.
func (c *comparison) objectsOf(k key) []string {
	rules := c.after.rules
	if k.old {
		rules = c.before.rules
	}
	var patterns []string
	for _, r := range rules {
		if r.Place() == k.rule {
			for _, p := range r.Objects {
				patterns = append(patterns, p.Text)
			}
		}
	}
	return patterns
}

// summarize summarizes actions for people: "*" replaces the methods it covers, HEAD is only
// listed if it adds information, and actions that no rule names get a description.
func (c *comparison) summarize(actions []string) []string {
	covered := slices.DeleteFunc(slices.Clone(c.space.actions), func(action string) bool {
		return !ask.Named(action) && !ask.IsUsual(action)
	})
	if subset(covered, actions) {
		return []string{"*"}
	}
	var shown []string
	for _, action := range actions {
		if action == "HEAD" && slices.Contains(actions, "GET") {
			continue
		}
		if other := c.space.others[action]; other != "" {
			action = other
		}
		shown = append(shown, action)
	}
	return shown
}
