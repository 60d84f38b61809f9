package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/postgres/internal/connect"
)

// answer is how long the newest revision is waited for before another connection is
// asked: one whose other end is gone without a word, with the question on the way, would
// else cost all the time that a fetch may take.
const answer = 2 * time.Second

// Fetch implements [source.Source]. It costs one small row while the revision is known.
func (s *Store) Fetch(ctx context.Context, known source.State) (source.Fetched, error) {
	newest, err := s.newest(ctx)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return source.Fetched{}, wrapped("read revision", source.ErrEmpty)
	case err != nil:
		return source.Fetched{}, wrapped("read revision", err)
	case newest == known:
		return source.Fetched{State: newest}, nil
	}
	c, err := s.content(ctx, newest.Revision)
	if err != nil {
		return source.Fetched{}, wrapped(fmt.Sprintf("read revision %d", newest.Revision), err)
	}
	return source.Fetched{State: newest, Content: c}, nil
}

// newest reads which revision is the newest. A connection that does not answer soon is
// given up with those that are idle, and a new one has all the time: what is slow is not
// dead.
func (s *Store) newest(ctx context.Context) (source.State, error) {
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		return source.State{}, err
	}
	soon, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	at, err := s.ask(soon, c)
	c.Release()
	if err == nil || soon.Err() == nil || ctx.Err() != nil {
		return at, err
	}
	s.pool.Reset()
	return s.ask(ctx, s.pool)
}

// ask is the question of newest.
func (s *Store) ask(ctx context.Context, of interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}) (source.State, error) {
	var r int64
	var hash string
	err := of.QueryRow(ctx, `select r.revision, r.hash from sallyport.head h
		join sallyport.revision r on r.name = h.name and r.revision = h.revision where h.name = $1`, s.name).Scan(&r, &hash)
	return source.State{Revision: source.Revision(r), Hash: hash}, err
}

// content reads the files of a revision, unless they are more than a source may
// hold.
func (s *Store) content(ctx context.Context, r source.Revision) (*source.Content, error) {
	rows, err := s.pool.Query(ctx, `with size as (
		select count(*) as files, sum(`+fileSize+`) as bytes
		from sallyport.file f where name = $1 and revision = $2)
		select path, content from sallyport.file, size
		where name = $1 and revision = $2 and files <= $3 and bytes <= $4`, s.name, int64(r), source.MaxFiles, maxBytes)
	if err != nil {
		return nil, err
	}
	files, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f source.File, err error) {
		return f, row.Scan(&f.Name, &f.Content)
	})
	if err != nil {
		return nil, err
	}
	return contentOf(r, files)
}

// contentOf is what was read of a revision, of which nothing was if it is too much.
func contentOf(r source.Revision, files []source.File) (*source.Content, error) {
	if len(files) == 0 {
		return nil, fmt.Errorf("it has no files, or more than %d with %d bytes", source.MaxFiles, source.MaxSize)
	}
	return source.NewContent(r, files)
}

// fileSize is what the name and the content of a file f have in bytes, in SQL.
const fileSize = "octet_length(f.path)::bigint + octet_length(f.content)"

// maxBytes is what names and contents of a revision may have together.
const maxBytes = source.MaxSize + source.MaxFiles*255

// Listen implements [source.Source]. It takes a connection of its own, which the
// server closes when nobody is there, and which a query tests now and then.
func (s *Store) Listen(ctx context.Context, hint func()) error {
	return wrapped("listen", connect.Listen(ctx, s.pool, channel, s.name, hint))
}

const columns = "revision, published, hash, author, commit_id, message, forced, restores"

func entry(row pgx.CollectableRow) (e source.Entry, err error) {
	var r, restores int64
	err = row.Scan(&r, &e.Published, &e.Hash, &e.Author, &e.Commit, &e.Message, &e.Forced, &restores)
	e.Revision, e.Restores = source.Revision(r), source.Revision(restores)
	return e, err
}

// At implements [source.Store].
func (s *Store) At(ctx context.Context, r source.Revision) (*source.Content, source.Entry, error) {
	rows, err := s.pool.Query(ctx, "select "+columns+" from sallyport.revision where name = $1 and revision = $2", s.name, int64(r))
	if err != nil {
		return nil, source.Entry{}, wrapped("read history", err)
	}
	e, err := pgx.CollectExactlyOneRow(rows, entry)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, source.Entry{}, fmt.Errorf("source/postgres: revision %d: %w", r, source.ErrNoRevision)
	}
	if err != nil {
		return nil, source.Entry{}, wrapped("read history", err)
	}
	c, err := s.content(ctx, r)
	if err == nil && c.Hash() != e.Hash {
		c, err = nil, errors.New("its files are not those that were published")
	}
	return c, e, wrapped(fmt.Sprintf("read revision %d", r), err)
}

// History implements [source.Store].
func (s *Store) History(ctx context.Context, before source.Revision, limit int) ([]source.Entry, error) {
	rows, err := s.pool.Query(ctx, "select "+columns+` from sallyport.revision
		where name = $1 and ($2 = 0 or revision < $2) order by revision desc limit $3`, s.name, int64(before), limit)
	if err != nil {
		return nil, wrapped("read history", err)
	}
	entries, err := pgx.CollectRows(rows, entry)
	return entries, wrapped("read history", err)
}
