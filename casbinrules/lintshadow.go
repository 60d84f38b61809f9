package casbinrules

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/casbin/casbin/v2/constant"
)

// checkEffects looks for denies that the effect of the model does not look at.
func (l *linter) checkEffects() {
	if l.schema.effect != constant.AllowOverrideEffect || l.schema.eft < 0 {
		return
	}
	for r := range l.policyRules() {
		if value(r, l.schema.eft) == "deny" {
			l.reportColumn(r, l.schema.eft, codeDenyIgnored, "use some(where (p.eft == allow)) && !some(where (p.eft == deny)) in the model",
				"the effect of the model looks for an allow only, and ignores this deny")
		}
	}
}

// checkShadows looks for rules without which every decision is the same, since
// another one matches whatever they match:
//
//   - where an allow suffices, an allow covered by another allow;
//   - where a deny wins, a rule covered by another one of its effect, or an
//     allow covered by a deny;
//   - where the first match decides, a rule covered by an earlier one.
//
// It reports only what it is sure of: rules of the same subject and tenant,
// and patterns that can be compared segment by segment. Where the subject's
// place among roles decides, it reports nothing.
//
// All rules are in the index afterwards.
func (l *linter) checkShadows() {
	rules := policyLines(l.rules)
	if l.schema.effect != constant.PriorityEffect {
		l.cover.take(rules, l.config)
		if l.schema.effect != constant.SubjectPriorityEffect {
			l.checkAllShadows()
		}
		return
	}
	if sorted := l.decisionOrder(rules); sorted != nil {
		l.cover.take(sorted, l.config)
		l.checkEarlierShadows()
	} else {
		l.cover.take(rules, l.config)
	}
}

// checkAllShadows looks for what covers a rule among all others.
func (l *linter) checkAllShadows() {
	for i, r := range l.cover.rules {
		l.config.pace.step()
		if l.cover.isSuspect(i) {
			l.checkShadow(r, l.cover.index(l.cover.groups.of[i]), false)
		}
	}
}

// checkEarlierShadows looks for what covers a rule among those that are asked
// before it.
func (l *linter) checkEarlierShadows() {
	for i := range l.cover.rules {
		l.config.pace.step()
		group := l.cover.groups.of[i]
		if l.cover.objects[group] != nil || !l.cover.isSuspect(i) {
			continue
		}
		g := l.cover.newIndex(group)
		for _, r := range l.cover.groups.members(l.cover.rules, group) {
			l.checkShadow(r, g, true)
			g.put(r)
		}
	}
}

// decisionOrder is the rules in the order that Casbin asks them, or nil when a
// priority is no number.
func (l *linter) decisionOrder(rules []*rule) []*rule {
	column := l.schema.priority
	if column < 0 {
		return rules
	}
	priorities := make(map[*rule]int, len(rules))
	for _, r := range rules {
		n, err := strconv.Atoi(value(r, column))
		if err != nil {
			return nil
		}
		priorities[r] = n
	}
	return slices.SortedStableFunc(slices.Values(rules), func(a, b *rule) int { return cmp.Compare(priorities[a], priorities[b]) })
}

// checkShadow looks for what covers r in an index of its group; first says that
// the first rule decides.
func (l *linter) checkShadow(r *rule, in *objectIndex, first bool) {
	effect := l.schema.effectOf(r)
	if effect != "allow" && effect != "deny" || effect == "deny" && l.schema.effect == constant.AllowOverrideEffect {
		return
	}
	if other := in.rule(r, effect); other != nil {
		l.report(r, 0, codeShadowed, "remove it", "the rule decides nothing: %s matches whatever it matches, and says the same", other.place())
		return
	}
	contrary := map[string]string{"allow": "deny", "deny": "allow"}[effect]
	if !first && (effect == "deny" || l.schema.effect != constant.AllowAndDenyEffect) {
		return
	}
	other := in.rule(r, contrary)
	if other == nil {
		return
	}
	at := r
	if !first && slices.Equal(l.matched(r), l.matched(other)) && later(other, r, l.files) {
		// Of two lines that differ in nothing else the second is the slip.
		at, other = other, r
	}
	l.report(at, 0, codeContradiction, "keep the one that is meant", "the rule contradicts %s, and %s wins", other.place(), l.winner(r, at, other))
}

// winner says which of two contradicting rules decides: r is the one that
// does not.
func (l *linter) winner(r, at, other *rule) string {
	if at == r {
		return "that one"
	}
	return "this one"
}

// matched are the fields that decide what a rule matches.
func (l *linter) matched(r *rule) []string {
	fields := r.fields()
	if l.schema.eft >= 0 {
		fields[l.schema.eft] = ""
	}
	return fields
}

func later(a, b *rule, files []string) bool {
	return cmp.Or(cmp.Compare(slices.Index(files, a.file()), slices.Index(files, b.file())), cmp.Compare(a.line, b.line)) > 0
}
