package lint

import (
	"cmp"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// checkEffects finds denies that the effect of the model ignores.
func (l *Linter) checkEffects(rules policy.Rules) {
	if l.Schema.Effect != model.AllowOverrideEffect || l.Schema.Eft < 0 {
		return
	}
	for r := range l.policyRulesOf(rules) {
		if policy.ValueAt(r, l.Schema.Eft) == "deny" {
			l.reportColumn(r, l.Schema.Eft, model.CodeDenyIgnored, "use some(where (p.eft == allow)) && !some(where (p.eft == deny)) in the model",
				"the effect of the model looks for an allow only, and ignores this deny")
		}
	}
}

// checkShadows finds rules without which every decision is the same, since another
// one matches everything that they match:
//
//   - if an allow suffices, an allow covered by another allow;
//   - if a deny wins, a rule covered by another one with the same effect, or an allow covered
//     by a deny;
//   - if the first match decides, a rule covered by an earlier one.
//
// It reports only what is certain: rules of the same subject and tenant, and
// patterns that can be compared segment by segment. If the rank of the subject's
// roles decides, it reports nothing.
//
// Afterwards all rules are in the index.
func (l *Linter) checkShadows() {
	rules := policy.PolicyLines(l.Rules, l.settings.Pace)
	if l.Schema.Effect != model.PriorityEffect {
		l.cover.take(rules, l.settings)
		if l.Schema.Effect != model.SubjectPriorityEffect {
			l.checkAllShadows()
		}
		return
	}
	if sorted := policy.InOrder(l.Schema, rules); sorted.Len() > 0 {
		l.cover.take(sorted, l.settings)
		l.checkEarlierShadows()
	} else {
		l.cover.take(rules, l.settings)
	}
}

// checkAllShadows compares each rule with all others.
func (l *Linter) checkAllShadows() {
	for i, r := range l.cover.rules.All() {
		l.settings.Pace.Step()
		if l.looksAt(r) && l.cover.isSuspect(i) {
			l.checkShadow(r, l.cover.index(l.cover.groups.of[i]), false)
		}
	}
}

// checkEarlierShadows compares each rule with those that precede it.
func (l *Linter) checkEarlierShadows() {
	for i, r := range l.cover.rules.All() {
		l.settings.Pace.Step()
		group := l.cover.groups.of[i]
		if !l.looksAt(r) || l.cover.objects[group] != nil || !l.cover.isSuspect(i) {
			continue
		}
		g := l.cover.newIndex(group)
		for _, r := range l.cover.groups.members(l.cover.rules, group) {
			l.checkShadow(r, g, true)
			g.put(r)
		}
	}
}

// checkShadow finds a rule that covers r in an index of its group; first reports
// that the first match decides.
func (l *Linter) checkShadow(r policy.Rule, in *objectIndex, first bool) {
	effect := policy.EffectOf(l.Schema, r)
	if effect != "allow" && effect != "deny" || effect == "deny" && l.Schema.Effect == model.AllowOverrideEffect {
		return
	}
	if other := in.rule(r, effect); !other.IsZero() {
		l.report(r, 0, model.CodeShadowed, "remove it", "the rule has no effect: %s matches everything that it matches, with the same result", other.Place())
		return
	}
	contrary := map[string]string{"allow": "deny", "deny": "allow"}[effect]
	if !first && (effect == "deny" || l.Schema.Effect != model.AllowAndDenyEffect) {
		return
	}
	other := in.rule(r, contrary)
	if other.IsZero() || effect == "deny" && l.deniesMore(r, other) {
		return
	}
	at, winner := r, "that one"
	if !first && slices.Equal(l.matched(r), l.matched(other)) && later(other, r, l.Files) {
		// Of two lines that do not differ in anything else the second is the mistake.
		at, other, winner = other, r, "this one"
	}
	l.report(at, 0, model.CodeContradiction, "keep the one that is meant", "the rule contradicts %s, and %s wins", other.Place(), winner)
}

// deniesMore reports whether deny applies to an unusual method that rules name and allow
// does not: "*" denies every method, but allows only the usual ones.
func (l *Linter) deniesMore(deny, allow policy.Rule) bool {
	if l.settings.AsCasbin {
		return false
	}
	if l.named == nil {
		l.named = policy.NamedMethods(l.Schema, l.Rules)
	}
	action := l.shape.action
	for method := range l.named {
		if !policy.IsUsual(method) && !policy.NamesMethod(l.Schema, allow, method) && (!action.alone || action.matches(method, l.cover.action(deny))) {
			return true
		}
	}
	return false
}

// matched returns the fields that determine what a rule matches.
func (l *Linter) matched(r policy.Rule) []string {
	fields := r.Fields()
	if l.Schema.Eft >= 0 {
		fields[l.Schema.Eft] = ""
	}
	return fields
}

func later(a, b policy.Rule, files []string) bool {
	return cmp.Or(cmp.Compare(slices.Index(files, a.File()), slices.Index(files, b.File())), cmp.Compare(a.Line, b.Line)) > 0
}
