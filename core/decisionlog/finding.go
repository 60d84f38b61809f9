package decisionlog

import "fmt"

// The codes of findings.
const (
	FindingChanged    = "changed"    // a line does not match its hash
	FindingRemoved    = "removed"    // lines are missing
	FindingOrder      = "order"      // a line is inserted, repeated or swapped
	FindingCut        = "cut"        // the last line of a file is incomplete
	FindingTruncated  = "truncated"  // the log ends before its last known head
	FindingUnreadable = "unreadable" // a line is not a record
	FindingUnchained  = "unchained"  // lines have no hash; one finding for all in a row
	FindingSignature  = "signature"  // a head is not signed by any given key
	FindingUnsigned   = "unsigned"   // a log has no heads, but a key was given
	FindingNoHead     = "no_head"    // the file with the last head is missing
)

// Finding is a defect of a log.
type Finding struct {
	File string `json:"file"`
	// Line counts from 1, in the file.
	Line    int    `json:"line"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// String returns "file:line: code: message".
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.Code, f.Message)
}
