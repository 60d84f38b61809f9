package casbinrules

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Severity says what a [Finding] does to the load.
type Severity int

// The severities, the least first. An error refuses the load. A warning does
// not, and is logged. A note is neither refused nor logged: what it names is
// fine in most policies, so that only [Lint] tells of it.
const (
	SeverityNote Severity = iota + 1
	SeverityWarning
	SeverityError
)

// String is "note", "warning" or "error".
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
	// File is the file as it was given, or found in a directory.
	File string
	// Line and Column count from 1; Column counts bytes.
	Line, Column int
	Severity     Severity
	// Code is stable, such as "field_count".
	Code string
	// Message says what is wrong, Hint what to do about it.
	Message, Hint string
}

// String is "file:line:column: severity: code: message (hint)". Characters that
// could forge or hide a line of output are escaped or replaced.
func (f Finding) String() string {
	s := fmt.Sprintf("%s:%d:%d: %s: %s: %s", f.File, f.Line, f.Column, f.Severity, f.Code, f.Message)
	if f.Hint != "" {
		s += " (" + f.Hint + ")"
	}
	return visible(s)
}

// visible replaces the characters that could forge or hide a line of output.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// listed is how many findings the text of an error shows.
const listed = 100

// FindingsError refuses a model or a policy.
type FindingsError struct {
	// Findings are all there are, warnings and notes too, those of the model
	// first, then in the order of the policy files and their lines.
	Findings []Finding
}

// Error is the findings that are errors, one a line, cut after the first
// hundred.
func (e *FindingsError) Error() string {
	var b strings.Builder
	n := 0
	for _, f := range e.Findings {
		if f.Severity != SeverityError {
			continue
		}
		if n++; n > listed {
			continue
		}
		if n > 1 {
			b.WriteByte('\n')
		}
		b.WriteString(f.String())
	}
	if n > listed {
		fmt.Fprintf(&b, "\nand %d more", n-listed)
	}
	return b.String()
}

// The codes of findings about model files.
const (
	codeModelSyntax     = "model_syntax"
	codeModelUnused     = "model_unused_definition"
	codeModelIncomplete = "model_request_incomplete"
	codeModelDefinition = "model_definition"
	codeModelRequest    = "model_request"
	codeModelRoles      = "model_roles"
	codeModelEffect     = "model_effect"
	codeModelMatcher    = "model_matcher"
	codeModelOpen       = "model_allows_by_default"
	codeModelTokenRoles = "model_token_roles"
	codeUnusedRoles     = "model_unused_roles"
)

// The codes of findings about policy files.
const (
	codeBOM         = "byte_order_mark"
	codeEncoding    = "encoding"
	codeLineLength  = "line_too_long"
	codeControl     = "control_character"
	codeQuoting     = "quoting"
	codeComment     = "inline_comment"
	codeSemicolon   = "semicolon_separator"
	codePtype       = "unknown_ptype"
	codeUnusedPtype = "unused_ptype"
	codeFieldCount  = "field_count"
	codeExtraField  = "extra_field"
	codeEmptyField  = "empty_field"
	codeSpace       = "surrounding_space"
	codeEffect      = "bad_effect"
	codePriority    = "bad_priority"
	codePattern     = "bad_pattern"
	codeValue       = "bad_value"
	codeCollision   = "colliding_rule"
	codeDuplicate   = "duplicate_rule"
	codeCycle       = "role_cycle"
	codeDeep        = "role_chain_too_deep"
	codeTree        = "role_tree"
	codeRolePrefix  = "role_without_prefix"
	codeEmptyPolicy = "empty_policy"
)

// The codes of findings about what a policy says.
const (
	codeDenyIgnored     = "deny_ignored"
	codeFreeClause      = "superuser_and_deny"
	codeShadowed        = "shadowed_rule"
	codeContradiction   = "contradicting_rules"
	codeUnanchored      = "unanchored_regexp"
	codeNoSlash         = "no_leading_slash"
	codeUnmatchable     = "unmatchable_pattern"
	codeQuery           = "query_in_pattern"
	codeLiteralStar     = "literal_star"
	codeMisplacedStar   = "misplaced_star"
	codeMiddleStar      = "star_in_middle"
	codePrefixStar      = "prefix_star"
	codeParent          = "star_misses_parent"
	codeParameter       = "parameter_spelling"
	codeParameterSuffix = "parameter_suffix"
	codeRegexpCharacter = "regexp_character"
	codeUnknownMethod   = "unknown_method"
	codeMethodCase      = "method_case"
	codePutPatch        = "put_without_patch"
	codePatchPut        = "patch_without_put"
	codeGetHead         = "get_without_head"
	codeNeverAssigned   = "role_never_assigned"
	codeRoleWithoutRule = "role_without_rules"
	codeSameName        = "user_and_role"
	codeAnonymous       = "anonymous_not_allowed"
	codeRuleNoRoute     = "rule_matches_no_route"
	codeRouteNoRule     = "route_without_rule"
)

// The codes of findings about a policy beside the one before it.
const (
	codeEmptied = "file_emptied"
	codeShrunk  = "file_shrunk"
)
