// Package source is the seam behind which policies, users and keys live that
// several instances of a service share.
//
// A [Source] has a revision, which only ever grows, and the content of that
// revision: a few named files. [Follow] keeps an instance at the newest revision.
// It works by one rule, which is what makes it safe with any store:
//
// A notification is a hint. The truth is the revision, which is read again
// whenever a connection is made and every few seconds besides.
//
// So a notification that is lost, doubled, late or forged does no harm, and a
// connection that was cut costs no more than the time until it is there again.
//
// A [Store] is a Source that can be written: each publication names the revision
// it was made from, and fails if there has been another one since. The packages
// below this one, source/postgres, source/redis and source/bundle, are or have
// Stores. Files on the machine itself need none of it: that is package core/watch.
package source

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Revision counts the publications of a source from 1 on. It grows with each and
// may leave numbers out. 0 is a source to which nothing was published yet.
type Revision uint64

// Source is what instances read. It is safe for concurrent use.
//
// The suite in source/sourcetest tests an implementation.
type Source interface {
	// Fetch reads the newest revision from the store itself, never from a cache
	// of its own, and the content of it unless known is that very State. With
	// the zero State content is read in any case.
	//
	// The content must be that of one revision as a whole, also when others
	// publish meanwhile. A source to which nothing was published returns
	// [ErrEmpty]. What is returned must not be modified by anyone.
	Fetch(ctx context.Context, known State) (Fetched, error)

	// Listen calls hint for each notification of a publication until ctx ends or
	// the connection is lost, and returns why. It also calls hint as soon as it
	// does listen: what was published before that moment is then read.
	//
	// A source without notifications waits for the end of ctx. hint does not
	// block, and may be called too often.
	Listen(ctx context.Context, hint func()) error
}

// Verifier is a [Source] whose content is proved, as by signatures: [Content.Proof]
// is set in all that it fetches, and what was kept on a disk is verified again
// before it is used. A source that wraps another one has the method
//
//	Unwrap() Source
//
// by which the Verifier is found; without it [Follow] refuses such content if it
// is to be kept.
type Verifier interface {
	Source
	// Verify says what is wrong with content that was fetched once and kept by
	// somebody else since. Whether it is the newest is not its question.
	Verify(c *Content) error
}

// verifierOf is the Verifier that a source is or wraps, or nil.
func verifierOf(s Source) Verifier {
	for s != nil {
		if v, ok := s.(Verifier); ok {
			return v
		}
		w, ok := s.(interface{ Unwrap() Source })
		if !ok {
			return nil
		}
		s = w.Unwrap()
	}
	return nil
}

// State names a revision and what it holds. A store that loses its newest
// revisions, as one whose replica takes over too early, may give a number twice:
// then Hash tells the two apart.
type State struct {
	Revision Revision
	// Hash is that of the content; see [Content.Hash].
	Hash string
}

// Fetched is what [Source.Fetch] found.
type Fetched struct {
	// State is the newest one.
	State
	// Content is that of State, or nil if it was known.
	Content *Content
}

// Store is a source that can be written. It is safe for concurrent use, by any
// number of programs.
type Store interface {
	Source

	// Publish makes p the newest revision, if the newest is p.Base: compare and
	// swap, in one step of the store. Else it returns a [*ConflictError] and
	// changes nothing. After another error it is not known whether p was
	// published; [Store.History] tells.
	Publish(ctx context.Context, p Publication) (Entry, error)

	// At reads a revision of the past: its content and its entry. The error is
	// [ErrNoRevision] if there is none of that number, or no longer.
	At(ctx context.Context, r Revision) (*Content, Entry, error)

	// History lists the newest entries, the newest first, at most limit of them,
	// and only those before a revision unless that is 0.
	History(ctx context.Context, before Revision, limit int) ([]Entry, error)

	// Close ends all connections.
	Close() error
}

// Publication is what is to become a revision.
type Publication struct {
	// Base is the revision from which Files were made, 0 for an empty source.
	Base Revision
	// AtLeast is what the new revision must not be below. After a backup was
	// restored it takes the count past what instances have seen already.
	AtLeast Revision
	Files   []File
	Note
}

// Next is the revision that p becomes.
func (p *Publication) Next() Revision { return max(p.Base+1, p.AtLeast) }

// Note says who has published something, from what and why. Only Author is
// required. Texts may have [MaxNoteSize] bytes.
type Note struct {
	Author  string `json:"author"`
	Commit  string `json:"commit,omitempty"`
	Message string `json:"message,omitempty"`
	// Forced is what was found against the publication and overridden, in one
	// text; "" if nothing was.
	Forced string `json:"forced,omitempty"`
	// Restores is the revision whose content this one repeats, or 0.
	Restores Revision `json:"restores,omitempty"`
}

// MaxNoteSize is how many bytes a text of a [Note] may have.
const MaxNoteSize = 4 << 10

// Entry is a line of the history.
type Entry struct {
	Revision Revision `json:"revision"`
	// Published is the time by the clock of the store, where it has one.
	Published time.Time `json:"published"`
	// Hash is that of the content; see [Content.Hash].
	Hash string `json:"hash"`
	Note
}

// ErrEmpty says that nothing was published to a source yet.
var ErrEmpty = errors.New("nothing was published to the store yet (sallyport push does so)")

// ErrNoRevision says that a store has no revision of a number.
var ErrNoRevision = errors.New("the store has no such revision")

// ErrStepBack says that a source shows an older revision than it did before, as
// a backup that was restored does, or a replica that lags, or none at all, as a
// server that has dropped what it held. What is in force stays.
var ErrStepBack = errors.New("the source has stepped back to an older revision")

// ConflictError refuses a publication because others have published since the
// revision it was made from.
type ConflictError struct {
	// Base is what the publication was made from, Newest what the store has.
	Base, Newest Revision
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("the store is at revision %d, and this was made from revision %d: nothing was published; pull, merge and push again", e.Newest, e.Base)
}

// Check says what is wrong with a publication, for implementations of
// [Store.Publish].
func (p *Publication) Check() error {
	if err := checkFiles(p.Files); err != nil {
		return err
	}
	if p.Author == "" {
		return errors.New("a publication needs an author")
	}
	for name, text := range map[string]string{"author": p.Author, "commit": p.Commit, "message": p.Message, "forced": p.Forced} {
		if len(text) > MaxNoteSize {
			return fmt.Errorf("%s has %d bytes, and at most %d are allowed", name, len(text), MaxNoteSize)
		}
	}
	return nil
}
