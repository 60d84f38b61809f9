package model

import (
	"bytes"

	"github.com/sallyport-go/sallyport/core/linefile"
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

// ReportMisleading reports a character that makes a line, or a comment, look like
// something other than is read; see [linefile.Misleading]. column is that of the
// line's first byte.
func ReportMisleading(line string, column int, report Reporter) {
	if at, c := linefile.Misleading(line); c != 0 {
		report(column+at, CodeControl, "remove it, or end the line there",
			"the line contains the control character %U, and what an editor shows behind it is part of the same line", c)
	}
}
