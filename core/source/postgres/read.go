package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport-go/sallyport/core/source"
)

// answer is how long to wait for the newest revision before another connection is
// tried: a connection whose other end has silently disappeared would otherwise use
// up all the time of a fetch.
const answer = 2 * time.Second

// Fetch implements [source.Source]. It costs one small row if the revision is known, and
// one round trip if there is an edit that leads from the known one to it. It uses the
// connection that listens, if there is one. A connection that is lost, or does not answer
// soon, is closed together with the idle ones, and a new one gets all the remaining time,
// since a slow server is not a dead one.
func (s *Store) Fetch(ctx context.Context, known source.State) (source.Fetched, error) {
	var got source.Fetched
	var err error
	lost := false
	fetch := func(c *pgx.Conn, within time.Duration) {
		got, err = s.fetch(ctx, c, known, within)
		lost = c.IsClosed() && ctx.Err() == nil
	}
	if s.listener.Ask(ctx, func(c *pgx.Conn) { fetch(c, answer) }) && !lost {
		return got, err
	}
	limits := []time.Duration{answer, forever}
	if lost {
		limits = limits[1:]
	}
	for _, within := range limits {
		if lost {
			s.pool.Reset()
		}
		c, err := s.pool.Acquire(ctx)
		if err != nil {
			return source.Fetched{}, wrapped("read revision", err)
		}
		fetch(c.Conn(), within)
		c.Release()
		if !lost {
			break
		}
	}
	return got, err
}

// forever is longer than any fetch.
const forever = time.Hour

// fetch is Fetch on one connection, which must return the newest revision within
// some time.
func (s *Store) fetch(ctx context.Context, c *pgx.Conn, known source.State, within time.Duration) (source.Fetched, error) {
	newest, edit, err := s.newest(ctx, c, known, within)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return source.Fetched{}, wrapped("read revision", source.ErrEmpty)
	case err != nil:
		return source.Fetched{}, wrapped("read revision", err)
	case newest == known:
		return source.Fetched{State: newest}, nil
	}
	if known != (source.State{}) {
		if c := s.edits.Content(newest, edit); c != nil {
			return source.Fetched{State: newest, Content: c}, nil
		}
	}
	content, err := s.content(ctx, c, newest.Revision)
	if err != nil {
		return source.Fetched{}, wrapped(fmt.Sprintf("read revision %d", newest.Revision), err)
	}
	s.edits.Keep(newest, content)
	return source.Fetched{State: newest, Content: content}, nil
}

// newest reads the newest revision and, unless known is that revision or the zero State,
// the edit that produces it from the one before.
func (s *Store) newest(ctx context.Context, c *pgx.Conn, known source.State, within time.Duration) (at source.State, edit string, err error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var r int64
	var text *string
	err = c.QueryRow(ctx, `select r.revision, r.hash, case when $2::bigint > 0 and (r.revision, r.hash) <> ($2, $3) then (
			select f.edit from sallyport.file f where f.name = r.name and f.revision = r.revision and octet_length(f.edit) <= $4 limit 1) end
		from sallyport.head h join sallyport.revision r on r.name = h.name and r.revision = h.revision where h.name = $1`,
		s.name, int64(known.Revision), known.Hash, source.MaxEdit).Scan(&r, &at.Hash, &text)
	if text != nil {
		edit = *text
	}
	at.Revision = source.Revision(r)
	return at, edit, err
}

// querier is a connection, or a pool of them.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// content reads the files of a revision, unless they exceed what a source may hold.
func (s *Store) content(ctx context.Context, of querier, r source.Revision) (*source.Content, error) {
	rows, err := of.Query(ctx, `with size as (
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

// contentOf returns the content made of files, which are empty if they exceeded the
// limits.
func contentOf(r source.Revision, files []source.File) (*source.Content, error) {
	if len(files) == 0 {
		return nil, fmt.Errorf("it has no files, or more than %d with %d bytes", source.MaxFiles, source.MaxSize)
	}
	return source.NewContent(r, files)
}

// fileSize is an SQL expression for the size of the name and content of a file f.
const fileSize = "octet_length(f.path)::bigint + octet_length(f.content)"

// maxBytes is the maximum size of all names and contents of a revision.
const maxBytes = source.MaxSize + source.MaxFiles*255

// Listen implements [source.Source]. It has a connection of its own, which Fetch
// uses too. The server closes it if the other end is gone, and a query tests it now
// and then.
func (s *Store) Listen(ctx context.Context, hint func()) error {
	listening := false
	return wrapped("listen", s.listener.Listen(ctx, s.pool, channel, s.name, func() {
		if !listening {
			listening = true
			s.pool.Reset() // of connections used until then
		}
		hint()
	}))
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
	c, err := s.content(ctx, s.pool, r)
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
