package casbinrules

import "slices"

// severity is what a finding with this code does to the load, unless it is but
// a note.
func (c *settings) severity(code string) Severity {
	if isAdvice(code) || c.asCasbin && casbinLoads(code) {
		return SeverityWarning
	}
	return SeverityError
}

// isAdvice reports whether the code is that of a likely mistake: the policy
// means what it says, and may be meant.
func isAdvice(code string) bool {
	switch code {
	case codeUnusedRoles, codeFreeClause, codeDuplicate, codeShadowed, codeContradiction, codeUnanchored, codeNoSlash, codeUnmatchable, codeQuery,
		codeMiddleStar, codePrefixStar, codeParent, codeParameter, codeRegexpCharacter, codeUnknownMethod,
		codePutPatch, codePatchPut, codeGetHead, codeNeverAssigned, codeRoleWithoutRule, codeSameName, codeAnonymous,
		codeRuleNoRoute, codeRouteNoRule:
		return true
	}
	return false
}

// casbinLoads reports whether Casbin loads what has this code, and takes it for
// something else than it looks like.
func casbinLoads(code string) bool {
	switch code {
	case codeModelUnused, codeModelIncomplete, codeModelMatcher, codeModelOpen,
		codeEncoding, codeControl, codeComment, codeUnusedPtype, codeExtraField, codeEmptyField,
		codeSpace, codeEffect, codePriority, codePattern, codeCollision,
		codeCycle, codeDeep, codeRolePrefix, codeEmptyPolicy,
		codeDenyIgnored, codeLiteralStar, codeMisplacedStar, codeParameterSuffix, codeMethodCase:
		return true
	}
	return false
}

// mayBeNote reports whether some findings with the code are notes: the policy
// shows that what they are about hardly matters in it.
func mayBeNote(code string) bool {
	switch code {
	case codeUnusedRoles, codeUnanchored, codePutPatch, codePatchPut:
		return true
	}
	return false
}

// warnings are the findings that are no notes.
func warnings(findings []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool { return f.Severity == SeverityNote })
}

// refused reports whether one of the findings is an error.
func refused(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == SeverityError })
}
