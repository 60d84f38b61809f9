package revoke

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/core/source"
)

// pageSize is how many records are read at a time.
const pageSize = 4096

// feed puts what is new in a log into a set. To [source.Follow] it is a source, whose
// revisions count the looks that have found something: so hints, polls, waits after
// failures and bounds are those of all sources. Its content is no more than that
// count, because an entry needs no approval: it counts as soon as it was read.
type feed struct {
	log Log
	set *set

	late     bool                    // the first look is not at the log
	stuck    atomic.Pointer[unknown] // why the log is not read to its end, as answer; nil if it is
	progress atomic.Pointer[progress]

	// Looks follow one another, and these are theirs alone.
	read     Position
	looked   time.Time // by the time of day
	restarts uint64
	shown    Position        // read when content was made
	content  *source.Content // nil before the first look
}

// progress is how far a log was read to its end.
type progress struct {
	read     Position
	restarts uint64
}

var _ source.Source = (*feed)(nil)

// Listen implements [source.Source].
func (f *feed) Listen(ctx context.Context, hint func()) error { return f.log.Listen(ctx, hint) }

// Fetch implements [source.Source].
func (f *feed) Fetch(ctx context.Context, known source.State) (source.Fetched, error) {
	if f.late && f.content == nil {
		return f.show(known)
	}
	now := f.set.clock.now().Round(0)
	if now.Before(f.looked) {
		f.read = Position{} // what had expired by a clock that was ahead was passed over
	}
	f.looked = now
	for more := true; more; {
		var err error
		if more, err = f.page(ctx); err != nil {
			return source.Fetched{}, err
		}
	}
	f.set.sweep()
	f.stuck.Store(nil)
	f.progress.Store(&progress{f.read, f.restarts})
	return f.show(known)
}

// page reads some records, and reports whether there may be more of them.
func (f *feed) page(ctx context.Context) (more bool, err error) {
	records, err := f.log.Read(ctx, f.read, pageSize)
	if errors.Is(err, ErrNoPosition) && f.read != (Position{}) {
		// The log is another one than it was. What is known of the one before stays.
		f.read = Position{}
		f.restarts++
		return true, nil
	}
	if err != nil && !errors.Is(err, ErrUnreadable) {
		return false, err
	}
	for i := range records {
		r := &records[i]
		if r.Number <= f.read.Number {
			return false, f.stop(ErrUnreadable, fmt.Errorf("the log shows record %d behind record %d", r.Number, f.read.Number))
		}
		if err := r.Check(); err != nil {
			return false, f.stop(ErrUnreadable, fmt.Errorf("record %d: %w", r.Number, err))
		}
		if err := f.set.add(&r.Entry); err != nil {
			return false, f.stop(ErrFull, fmt.Errorf("record %d: %w: more than %d entries", r.Number, err, f.set.max))
		}
		f.read = r.Position
	}
	if err != nil {
		return false, f.stop(ErrUnreadable, err)
	}
	return len(records) >= pageSize, nil
}

// stop has tokens without an entry answered with an error until the log was read to
// its end again, since they may be revoked by what was not read.
func (f *feed) stop(answer, why error) error {
	f.stuck.Store(&unknown{err: answer})
	return why
}

// show is what Follow is told.
func (f *feed) show(known source.State) (source.Fetched, error) {
	if f.content == nil || f.shown != f.read {
		next := source.Revision(1)
		if f.content != nil {
			next = f.content.Revision + 1
		}
		c, err := source.NewContent(next, []source.File{{Name: "looks", Content: strconv.AppendUint(nil, uint64(next), 10)}})
		if err != nil {
			return source.Fetched{}, err
		}
		f.content, f.shown = c, f.read
	}
	got := source.Fetched{State: source.State{Revision: f.content.Revision, Hash: f.content.Hash()}}
	if got.State != known {
		got.Content = f.content
	}
	return got, nil
}
