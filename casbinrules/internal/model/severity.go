package model

import (
	"slices"
)

// Severity returns the severity of findings with this code, unless they are notes.
func (c *Settings) Severity(code string) Severity {
	if isAdvice(code) || c.AsCasbin && casbinLoads(code) {
		return SeverityWarning
	}
	return SeverityError
}

// isAdvice reports whether the code is that of a likely mistake in a policy that is
// valid and may be intended.
func isAdvice(code string) bool {
	switch code {
	case CodeUnusedRoles, CodeUnusedColumn, CodeFreeClause, CodeTwoMeanings, CodeOpenClause, CodeDecomposed, CodeDuplicate, CodeShadowed, CodeContradiction, CodeUnanchored, CodeNoSlash, CodeUnmatchable, CodeQuery,
		CodeMiddleStar, CodePrefixStar, CodeParent, CodeParameter, CodeRegexpCharacter, CodeUnknownMethod,
		CodePutPatch, CodePatchPut, CodeGetHead, CodeNeverAssigned, CodeRoleWithoutRule, CodeSameName, CodeAnonymous,
		CodeLinkOver, CodeLinkOutlived, CodeDefaultUnused, CodeDefaultDenies,
		CodeRuleNoRoute, CodeRouteNoRule:
		return true
	}
	return false
}

// casbinLoads reports whether Casbin loads lines with this code, but reads them
// differently from how they look.
func casbinLoads(code string) bool {
	switch code {
	case CodeModelUnused, CodeModelIncomplete, CodeModelMatcher, CodeModelOpen,
		CodeEncoding, CodeControl, CodeComment, CodeUnusedPtype, CodeExtraField, CodeEmptyField,
		CodeSpace, CodeOtherQuotes, CodeEffect, CodePriority, CodePattern, CodeCollision,
		CodeCycle, CodeDeep, CodeRolePrefix, CodeEmptyPolicy,
		CodeDenyIgnored, CodeLiteralStar, CodeMisplacedStar, CodeParameterSuffix, CodeMethodCase,
		CodeLinkNever, CodeLinkTwice, CodeLinkUnchecked:
		return true
	}
	return false
}

// MayBeNote reports whether some findings with the code are notes, if the policy
// shows that they hardly matter in it.
func MayBeNote(code string) bool {
	switch code {
	case CodeUnusedRoles, CodeUnusedColumn, CodeUnanchored, CodePutPatch, CodePatchPut:
		return true
	}
	return false
}

// Warnings returns the findings that are not notes.
func Warnings(findings []Finding) []Finding {
	isNote := func(f Finding) bool { return f.Severity == SeverityNote }
	if !slices.ContainsFunc(findings, isNote) {
		return findings
	}
	return slices.DeleteFunc(slices.Clone(findings), isNote)
}

// Refused reports whether one of the findings is an error.
func Refused(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == SeverityError })
}
