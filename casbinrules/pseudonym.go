package casbinrules

import (
	"errors"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// WithPseudonyms replaces possibly personal data in log lines and in the events of
// [WithReloadObserver] functions: the names and objects of rules that were added or
// removed, and the text of findings and of an adapter's errors. p computes the
// pseudonyms; with the guard's key ([core.WithPseudonyms]) a user has the same
// pseudonym in the guard's events. File, line and code of a finding are kept, and so
// are methods, effects and "*".
//
// [Authorizer.Warnings], [Authorizer.Status] and the error of [Authorizer.Reload]
// are not logged, and contain everything.
func WithPseudonyms(p *core.Pseudonyms) Option {
	return func(c *config) error {
		switch {
		case p == nil:
			return errors.New("pseudonyms are nil: make them with core.NewPseudonyms")
		case c.pseudonyms != nil:
			return errors.New("pseudonyms are given twice")
		}
		c.pseudonyms = p
		return nil
	}
}

// pseudonymous returns e without possibly personal data. adapted reports that the
// policy comes from an adapter.
func (c *config) pseudonymous(e ReloadEvent, adapted bool) ReloadEvent {
	if c.pseudonyms == nil {
		return e
	}
	e.Added, e.Removed = c.pseudonymousRules(e.Added), c.pseudonymousRules(e.Removed)
	e.Findings = c.pseudonymousFindings(e.Findings)
	e.Err = c.pseudonymousError(e.Err, adapted)
	return e
}

func (c *config) pseudonymousRules(rules []RuleText) []RuleText {
	rules = slices.Clone(rules)
	for i, r := range rules {
		fields, problem := policy.SplitLine(nil, r.Text, 0, nil)
		if problem != nil {
			rules[i].Text = c.pseudonyms.Of(r.Text)
			continue
		}
		values := make([]string, len(fields))
		for j, f := range fields {
			values[j] = f.Text
			if j > 0 && f.Text != "*" && f.Text != "allow" && f.Text != "deny" && !policy.IsUsual(f.Text) {
				values[j] = c.pseudonyms.Of(f.Text)
			}
		}
		rules[i].Text = strings.Join(values, ", ")
	}
	return rules
}

// pseudonymousFindings drops the message and hint of findings that may quote the
// policy.
func (c *config) pseudonymousFindings(findings []Finding) []Finding {
	if c.pseudonyms == nil {
		return findings
	}
	findings = slices.Clone(findings)
	for i, f := range findings {
		if f.Code != model.CodeEmptied && f.Code != model.CodeShrunk { // their messages contain only numbers
			findings[i].Message, findings[i].Hint = "see the line there", ""
		}
	}
	return findings
}

// pseudonymousError keeps the text of errors about files, which contain only the
// file name.
func (c *config) pseudonymousError(err error, adapted bool) error {
	var refused *FindingsError
	switch {
	case errors.As(err, &refused):
		return &FindingsError{Findings: c.pseudonymousFindings(refused.Findings)}
	case err != nil && adapted:
		return errors.New("error: " + c.pseudonyms.Of(err.Error()))
	}
	return err
}
