package model

import (
	"bytes"
	"strings"
)

// Reporter reports a finding at a column of one line.
type Reporter = func(column int, code, hint, format string, args ...any)

// BOM is the byte order mark in UTF-8.
const BOM = "\ufeff"

// ByteOrderMark returns the mark that a file begins with, or "": BOM or one of UTF-16.
func ByteOrderMark(data []byte) string {
	for _, mark := range []string{BOM, "\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(data, []byte(mark)) {
			return mark
		}
	}
	return ""
}

// ReportByteOrderMark reports the mark that a file begins with, and returns it.
func ReportByteOrderMark(data []byte, report Reporter) (mark string) {
	switch mark = ByteOrderMark(data); mark {
	case "":
	case BOM:
		report(1, CodeBOM, "save it as UTF-8 without one", "the file begins with a byte order mark")
	default:
		report(1, CodeBOM, "save it as UTF-8 without one", "the file begins with the byte order mark of UTF-16")
	}
	return mark
}

// ReportMisleading reports a character of a line or comment that makes editors show
// something other than what is read: one behind which they show a new line, although
// only a line feed begins one, or one that changes the order of the letters behind it
// (UAX #14 LB4-LB6, UAX #9 §2). What looks like a rule may then be part of a comment.
// column is that of the line's first byte.
func ReportMisleading(line string, column int, report Reporter) {
	at := strings.IndexFunc(line, isMisleading)
	if at < 0 {
		return
	}
	for _, c := range line[at:] {
		report(column+at, CodeControl, "remove it, or end the line there",
			"the line contains the control character %U, and what an editor shows behind it is part of the same line", c)
		return
	}
}

func isMisleading(c rune) bool {
	switch c {
	case '\r', '\v', '\f', '\u0085', '\u2028', '\u2029':
		return true
	}
	return '\u202a' <= c && c <= '\u202e' || '\u2066' <= c && c <= '\u2069'
}
