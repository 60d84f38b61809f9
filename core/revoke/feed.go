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

// pageSize is the number of records that are read at a time.
const pageSize = 4096

// feed adds the new entries of a log to a set. For [source.Follow] it is a source whose
// revision counts the reads that found something, so that hints, polls, waits after
// failures and bounds are those of all sources. Its content is only that count, because
// an entry needs no approval: it is in effect as soon as it was read.
type feed struct {
	log Log
	set *set

	late     bool                    // the first fetch does not read the log
	stuck    atomic.Pointer[unknown] // why the log was not read to its end, as the answer for tokens; nil if it was
	progress atomic.Pointer[progress]

	// There is one fetch at a time, and only fetches use these fields.
	read     Position
	looked   time.Time // by the wall clock
	restarts uint64
	shown    Position        // the value of read when content was made
	content  *source.Content // nil before the first fetch
}

// progress is how far a log was last read to its end.
type progress struct {
	read     Position
	restarts uint64
	looked   time.Time // by the wall clock
}

// inherit makes the first fetch continue where the feed of another follower is.
func (f *feed) inherit(old *feed) {
	f.set = old.set
	if p := old.progress.Load(); p != nil {
		f.read, f.looked = p.read, p.looked
	}
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
		f.read = Position{} // entries that had expired by a clock that was ahead were skipped
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
	f.progress.Store(&progress{f.read, f.restarts, now})
	return f.show(known)
}

// page reads some records, and reports whether there may be more.
func (f *feed) page(ctx context.Context) (more bool, err error) {
	records, err := f.log.Read(ctx, f.read, pageSize)
	if errors.Is(err, ErrNoPosition) && f.read != (Position{}) {
		// The log is a different one now. What is known from the previous one stays.
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
			return false, f.stop(ErrUnreadable, fmt.Errorf("the log returned record %d after record %d", r.Number, f.read.Number))
		}
		if err := r.Check(); err != nil {
			return false, f.stop(ErrUnreadable, fmt.Errorf("record %d: %w", r.Number, err))
		}
		if err := f.set.add(&r.Entry); err != nil {
			return false, f.stop(ErrFull, fmt.Errorf("record %d: %w", r.Number, err))
		}
		f.read = r.Position
	}
	if err != nil {
		return false, f.stop(ErrUnreadable, err)
	}
	return len(records) >= pageSize, nil
}

// stop makes tokens without an entry result in an error until the log was read to its
// end again, since the unread records may revoke them.
func (f *feed) stop(answer, why error) error {
	f.stuck.Store(&unknown{err: answer})
	return why
}

// show returns what Follow is told.
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
