// Package source is the interface to stores of policies, users and keys that
// several instances of a service share.
//
// A [Source] has a revision, which only ever increases, and the content of that
// revision: a few named files. [Follow] keeps an instance at the newest revision.
// One rule makes it safe with any store:
//
// A notification is a hint. The truth is the revision, which is read again whenever
// a connection is made, and every few seconds.
//
// So a notification that is lost, duplicated, late or forged does no harm, and a
// lost connection costs no more than the time until it is restored.
//
// A [Store] is a Source that can be written: each publication names the revision it
// is based on, and fails if there has been another one since. The packages below
// this one, source/postgres, source/redis and source/bundle, are or have Stores.
// For local files use package core/watch instead.
package source

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Revision counts the publications of a source from 1. It increases with each and
// may skip numbers. 0 means that nothing was published yet.
type Revision uint64

// Source is a shared store that instances read. Implementations must be safe for
// concurrent use.
//
// The suite in source/sourcetest tests an implementation.
type Source interface {
	// Fetch reads the newest revision from the store itself, never from a cache,
	// and its content unless known is that very State. With the zero State it
	// always reads the content.
	//
	// The content must be that of a single revision, even if others publish
	// meanwhile. If nothing was published yet, Fetch returns [ErrEmpty]. The result
	// must not be modified.
	Fetch(ctx context.Context, known State) (Fetched, error)

	// Listen calls hint for each notification of a publication until ctx ends or
	// the connection is lost, and returns the reason. It also calls hint as soon as
	// it is listening, so that earlier publications are read.
	//
	// A source without notifications waits until ctx ends. hint does not block, and
	// may be called too often.
	Listen(ctx context.Context, hint func()) error
}

// Verifier is a [Source] whose content is proved, for instance by signatures:
// [Content.Proof] is set in everything it fetches, and content kept on disk is
// verified again before use. A source that wraps another one needs the method
//
//	Unwrap() Source
//
// by which the Verifier is found; without it [Follow] refuses to keep such content.
type Verifier interface {
	Source
	// Verify returns an error if content that was fetched earlier and stored
	// elsewhere is not authentic. It does not check that the content is the newest.
	Verify(c *Content) error
}

// verifierOf returns the Verifier that a source is or wraps, or nil.
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

// State identifies a revision and its content. A store that loses its newest
// revisions, for instance because a replica took over too early, may assign a
// number twice: Hash then tells the two apart.
type State struct {
	Revision Revision
	// Hash is the hash of the content; see [Content.Hash].
	Hash string
}

// Fetched is the result of [Source.Fetch].
type Fetched struct {
	// State is the newest one.
	State
	// Content is that of State, or nil if it was known.
	Content *Content
}

// Store is a source that can be written. Implementations must be safe for
// concurrent use, by any number of programs.
type Store interface {
	Source

	// Publish makes p the newest revision if the newest is p.Base, by an atomic
	// compare-and-swap in the store. Otherwise it returns a [*ConflictError] and
	// changes nothing. After any other error it is not known whether p was
	// published. It may be repeated then: if p is the newest revision already, Publish
	// returns its entry.
	Publish(ctx context.Context, p Publication) (Entry, error)

	// At returns the content and the entry of an earlier revision. The error is
	// [ErrNoRevision] if there is no such revision, or no longer.
	At(ctx context.Context, r Revision) (*Content, Entry, error)

	// History returns at most limit entries, newest first, and only those before
	// the given revision unless that is 0.
	History(ctx context.Context, before Revision, limit int) ([]Entry, error)

	// Close ends all connections.
	Close() error
}

// Publication is a proposed revision.
type Publication struct {
	// Base is the revision that Files are based on, 0 for an empty source.
	Base Revision
	// AtLeast is a lower bound for the new revision. After a backup was restored it
	// moves the count past the revisions that instances have already seen.
	AtLeast Revision
	Files   []File
	Note
}

// Next returns the revision that p becomes.
func (p *Publication) Next() Revision { return max(p.Base+1, p.AtLeast) }

// Became reports whether e, the entry of the newest revision, is that of p, which was then
// published before. It is for implementations of [Store.Publish].
func (p *Publication) Became(e Entry) bool {
	return e.Revision == p.Next() && e.Note == p.Note && e.Hash == HashFiles(p.Files)
}

// Note says who has published something, from where and why. Only Author is
// required. Texts may have up to [MaxNoteSize] bytes.
type Note struct {
	Author  string `json:"author"`
	Commit  string `json:"commit,omitempty"`
	Message string `json:"message,omitempty"`
	// Forced lists the findings about the publication that were overridden, in one
	// text; "" if there were none.
	Forced string `json:"forced,omitempty"`
	// Restores is the revision whose content this one repeats, or 0.
	Restores Revision `json:"restores,omitempty"`
}

// MaxNoteSize is the maximum length in bytes of a text of a [Note].
const MaxNoteSize = 4 << 10

// Entry is a line of the history.
type Entry struct {
	Revision Revision `json:"revision"`
	// Published is the time of publication by the store's clock, if it has one.
	Published time.Time `json:"published"`
	// Hash is the hash of the content; see [Content.Hash].
	Hash string `json:"hash"`
	Note
}

// ErrEmpty means that nothing was published to a source yet.
var ErrEmpty = errors.New("nothing has been published to the store yet: run sallyport push")

// ErrNoRevision means that a store does not have the requested revision.
var ErrNoRevision = errors.New("the store has no such revision")

// ErrStepBack means that a source returns an older revision than before, as a
// restored backup or a lagging replica does, or none at all, as a server that has
// lost its data does. What is in force stays.
var ErrStepBack = errors.New("the source has stepped back to an older revision")

// ConflictError refuses a publication because others have published since the
// revision it was made from.
type ConflictError struct {
	// Base is the revision that the publication is based on, Newest the one in the
	// store.
	Base, Newest Revision
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("the store is at revision %d, and this was made from revision %d: nothing was published; pull, merge and push again", e.Newest, e.Base)
}

// Check returns an error for an invalid publication, for implementations of
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
