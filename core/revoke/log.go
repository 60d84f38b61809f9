package revoke

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"
)

// Log is a list of entries to which the instances of a service append, and whose
// unexpired entries each of them keeps in memory ([Follow]). Implementations must
// be safe for concurrent use, by any number of programs.
//
// The suite in revoke/revoketest tests an implementation.
type Log interface {
	// Append adds entries as the newest records, all or none, and returns the
	// position of the last. note says who revoked, and why, for human readers, in
	// up to [MaxNoteSize] bytes. After an error other than one of [Entry.Check] it
	// is not known whether they were added; appending them again is harmless.
	Append(ctx context.Context, note string, entries ...Entry) (Position, error)

	// Read returns the records after a position, in order and at most limit of
	// them: fewer only if there are no more. The zero Position is the beginning. A
	// record becomes readable after all records with lower numbers. If the log has
	// no record at the position, or another one, the error is [ErrNoPosition]. If a
	// record cannot be read, those before it are returned with [ErrUnreadable].
	//
	// Records with expired entries may be omitted, except the newest.
	Read(ctx context.Context, after Position, limit int) ([]Record, error)

	// Listen calls hint when it starts to listen, and for each append, until ctx
	// ends or the connection is lost, and returns the reason. As in
	// [source.Source], hints may be lost, and there may be too many.
	Listen(ctx context.Context, hint func()) error
}

// Position is the position of a record in a log. The zero Position is before the
// first.
type Position struct {
	// Number is 1 for the first record, and increases; numbers may be skipped.
	Number uint64
	// Tag is random. It distinguishes records with the same number, for instance
	// after a backup was restored.
	Tag string
}

// Record is an entry in a log.
type Record struct {
	Position
	Entry
	// Added is the time of the append, by the store's clock. By is the store's user
	// that added it; "" if unknown.
	Added time.Time
	By    string
	Note  string
}

// MaxNoteSize is the maximum length of a record's note in bytes.
const MaxNoteSize = 4096

// ErrNoPosition means that a log has no record at a position: a backup was
// restored, or the store has lost its newest records.
var ErrNoPosition = errors.New("the log of revocations has no such position")

// CheckAppend checks the arguments of [Log.Append], for implementations.
func CheckAppend(note string, entries []Entry) error {
	if len(entries) == 0 {
		return errors.New("there is no entry")
	}
	if len(note) > MaxNoteSize || !utf8.ValidString(note) || strings.Contains(note, "\x00") {
		return errors.New("the note is longer than 4096 bytes, is not UTF-8, or has a zero byte")
	}
	for _, e := range entries {
		if err := e.Check(); err != nil {
			return err
		}
	}
	return nil
}
