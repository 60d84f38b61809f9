package model

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Severity is the effect of a [Finding] on loading the policy.
type Severity int

// The severities, least severe first, as package casbinrules documents them.
const (
	SeverityNote Severity = iota + 1
	SeverityWarning
	SeverityError
)

// String returns "note", "warning" or "error".
func (s Severity) String() string {
	switch s {
	case SeverityNote:
		return "note"
	case SeverityWarning:
		return "warning"
	case SeverityError:
		return "error"
	default:
		return "severity " + strconv.Itoa(int(s))
	}
}

// Finding is one thing wrong with a model or policy file.
type Finding struct {
	// File is the file as given, or as found in a directory.
	File string
	// Line and Column count from 1; Column counts bytes.
	Line, Column int
	Severity     Severity
	// Code is stable, such as "field_count".
	Code string
	// Message says what is wrong, Hint what to do about it.
	Message, Hint string
}

// String returns "file:line:column: severity: code: message (hint)". Characters
// that could forge or hide a line of output are escaped or replaced.
func (f Finding) String() string {
	s := fmt.Sprintf("%s:%d:%d: %s: %s: %s", f.File, f.Line, f.Column, f.Severity, f.Code, f.Message)
	if f.Hint != "" {
		s += " (" + f.Hint + ")"
	}
	return Visible(s)
}

// Visible replaces the characters that could forge or hide a line of output.
func Visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// maxShown is the maximum length of one text in a line of output, in bytes.
const maxShown = 256

// Cut shortens a text that is too long for a line of output.
func Cut(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "…"
}

// maxListed is the maximum number of findings in the text of an error.
const maxListed = 100

// FindingsError is returned for a model or a policy that is refused.
type FindingsError struct {
	// Findings are all findings, including warnings and notes: those about the model
	// first, then those about policy files in the order of files and lines.
	Findings []Finding
}

// Error returns the findings that are errors, one per line, up to the first hundred.
func (e *FindingsError) Error() string {
	var b strings.Builder
	n := 0
	for _, f := range e.Findings {
		if f.Severity != SeverityError {
			continue
		}
		if n++; n > maxListed {
			continue
		}
		if n > 1 {
			b.WriteByte('\n')
		}
		b.WriteString(f.String())
	}
	if n > maxListed {
		fmt.Fprintf(&b, "\nand %d more", n-maxListed)
	}
	return b.String()
}

// The codes of findings about model files.
const (
	CodeModelSyntax     = "model_syntax"
	CodeModelUnused     = "model_unused_definition"
	CodeModelIncomplete = "model_request_incomplete"
	CodeModelDefinition = "model_definition"
	CodeModelRequest    = "model_request"
	CodeModelRoles      = "model_roles"
	CodeModelEffect     = "model_effect"
	CodeModelMatcher    = "model_matcher"
	CodeModelOpen       = "model_allows_by_default"
	CodeModelConstraint = "model_constraint"
	CodeModelTokenRoles = "model_token_roles"
	CodeUnusedRoles     = "model_unused_roles"
	CodeUnusedColumn    = "model_unused_column"
)

// The codes of findings about policy files.
const (
	CodeBOM         = "byte_order_mark"
	CodeEncoding    = "encoding"
	CodeLineLength  = "line_too_long"
	CodeControl     = "control_character"
	CodeDecomposed  = "decomposed_letter"
	CodeQuoting     = "quoting"
	CodeOtherQuotes = "single_quotes"
	CodeComment     = "inline_comment"
	CodeSemicolon   = "semicolon_separator"
	CodePtype       = "unknown_ptype"
	CodeUnusedPtype = "unused_ptype"
	CodeFieldCount  = "field_count"
	CodeExtraField  = "extra_field"
	CodeEmptyField  = "empty_field"
	CodeSpace       = "surrounding_space"
	CodeEffect      = "bad_effect"
	CodePriority    = "bad_priority"
	CodePattern     = "bad_pattern"
	CodeValue       = "bad_value"
	CodeTime        = "bad_time"
	CodeCollision   = "colliding_rule"
	CodeDuplicate   = "duplicate_rule"
	CodeCycle       = "role_cycle"
	CodeDeep        = "role_chain_too_deep"
	CodeTree        = "role_tree"
	CodeConstraint  = "constraint_violated"
	CodeRolePrefix  = "role_without_prefix"
	CodeEmptyPolicy = "empty_policy"
)

// The codes of findings about what a policy says.
const (
	CodeDenyIgnored     = "deny_ignored"
	CodeFreeClause      = "superuser_and_deny"
	CodeTwoMeanings     = "subject_with_two_meanings"
	CodeOpenClause      = "clause_for_everybody"
	CodeShadowed        = "shadowed_rule"
	CodeContradiction   = "contradicting_rules"
	CodeUnanchored      = "unanchored_regexp"
	CodeNoSlash         = "no_leading_slash"
	CodeUnmatchable     = "unmatchable_pattern"
	CodeQuery           = "query_in_pattern"
	CodeLiteralStar     = "literal_star"
	CodeMisplacedStar   = "misplaced_star"
	CodeMiddleStar      = "star_in_middle"
	CodePrefixStar      = "prefix_star"
	CodeParent          = "star_misses_parent"
	CodeParameter       = "parameter_spelling"
	CodeParameterSuffix = "parameter_suffix"
	CodeRegexpCharacter = "regexp_character"
	CodeUnknownMethod   = "unknown_method"
	CodeMethodCase      = "method_case"
	CodePutPatch        = "put_without_patch"
	CodePatchPut        = "patch_without_put"
	CodeGetHead         = "get_without_head"
	CodeNeverAssigned   = "role_never_assigned"
	CodeRoleWithoutRule = "role_without_rules"
	CodeSameName        = "user_and_role"
	CodeDefaultUnused   = "default_role_without_rules"
	CodeDefaultDenies   = "default_role_denies"
	CodeLinkNever       = "link_never_counts"
	CodeLinkOver        = "link_over"
	CodeLinkOutlived    = "link_outlived"
	CodeLinkTwice       = "link_with_two_times"
	CodeLinkUnchecked   = "link_time_ignored"
	CodeAnonymous       = "anonymous_not_allowed"
	CodeRuleNoRoute     = "rule_matches_no_route"
	CodeRouteNoRule     = "route_without_rule"
)

// The codes of findings about a policy compared with the previous one.
const (
	CodeEmptied = "file_emptied"
	CodeShrunk  = "file_shrunk"
)
