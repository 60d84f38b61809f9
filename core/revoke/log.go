package revoke

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"
)

// Log is a list of entries to which the instances of a service append, and of
// which each keeps all that count in memory ([Follow]). Implementations are safe
// for concurrent use, by any number of programs.
//
// The suite in revoke/revoketest tests an implementation.
type Log interface {
	// Append adds entries as the newest records, all or none, and returns the
	// position of the last. note is for people: who has revoked, and why; up to
	// [MaxNoteSize] bytes. After an error that is not one of [Entry.Check] it is not
	// known whether they were added; to append them again does no harm.
	Append(ctx context.Context, note string, entries ...Entry) (Position, error)

	// Read returns the records that follow a position, in order and at most limit
	// of them: fewer only if there are no more. The zero Position is the beginning.
	// A record becomes readable after all that have lower numbers. For a position
	// of which the log has no record, or another one, the error is [ErrNoPosition].
	// Where a record cannot be read, those before it come with an [ErrUnreadable].
	//
	// Records whose entries have expired may be left out, except the newest.
	Read(ctx context.Context, after Position, limit int) ([]Record, error)

	// Listen calls hint when it begins to listen, and for each append, until ctx
	// ends or the connection is lost, and returns why. It is that of
	// [source.Source]: hints may be lost, and may be too many.
	Listen(ctx context.Context, hint func()) error
}

// Position is that of a record in a log. The zero Position is before the first.
type Position struct {
	// Number is 1 for the first record, and grows; numbers may be left out.
	Number uint64
	// Tag is random. It tells records apart that were given the same number, as
	// after a backup was restored.
	Tag string
}

// Record is an entry in a log.
type Record struct {
	Position
	Entry
	// Added is when, by the clock of the store. By is the user of the store that
	// has added it, "" where that is not known.
	Added time.Time
	By    string
	Note  string
}

// MaxNoteSize is how many bytes the note of a record may have.
const MaxNoteSize = 4096

// ErrNoPosition says that a log has no record at a position: a backup was
// restored, or the store has lost its newest records.
var ErrNoPosition = errors.New("the log of revocations has no such position")

// CheckAppend says what is wrong with the arguments of [Log.Append], for
// implementations.
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
