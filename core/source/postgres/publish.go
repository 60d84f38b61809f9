package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/postgres/internal/connect"
)

// Publish implements [source.Store], in one transaction: it first updates the row of the
// newest revision, which makes other publishers wait, and the notification is delivered
// when everything is committed.
func (s *Store) Publish(ctx context.Context, p source.Publication) (source.Entry, error) {
	if err := p.Check(); err != nil {
		return source.Entry{}, fmt.Errorf("source/postgres: publish: %w", err)
	}
	e := source.Entry{Revision: p.Next(), Hash: source.HashFiles(p.Files), Note: p.Note}
	to := source.State{Revision: e.Revision, Hash: e.Hash}
	edit := s.edits.Text(p.Base, to, p.Files)
	err := pgx.BeginTxFunc(ctx, s.pool, connect.ReadCommitted, func(tx pgx.Tx) error { return s.publish(ctx, tx, &p, &e, edit) })
	var conflict *source.ConflictError
	if errors.As(err, &conflict) {
		return source.Entry{}, err
	}
	if err != nil {
		return source.Entry{}, wrapped("publish", err)
	}
	// The next edit starts from these files, and the caller may modify the slice.
	files := slices.Clone(p.Files)
	for i, f := range files {
		files[i].Content = bytes.Clone(f.Content)
	}
	if c, err := source.NewContent(e.Revision, files); err == nil {
		s.edits.Keep(to, c)
	}
	return e, nil
}

// publish stores the edit in the row of one file: whoever may read it may read the files.
func (s *Store) publish(ctx context.Context, tx pgx.Tx, p *source.Publication, e *source.Entry, edit string) error {
	// A publisher that disappears midway, while the server still considers its
	// connection open, must not hold the row for the two hours that TCP waits.
	if _, err := tx.Exec(ctx, "set local idle_in_transaction_session_timeout = '30s'"); err != nil {
		return err
	}
	if p.Base == 0 {
		if _, err := tx.Exec(ctx, "insert into sallyport.head values ($1, 0) on conflict do nothing", s.name); err != nil {
			return err
		}
	}
	moved, err := tx.Exec(ctx, "update sallyport.head set revision = $3 where name = $1 and revision = $2", s.name, int64(p.Base), int64(e.Revision))
	if err != nil {
		return err
	}
	if moved.RowsAffected() == 0 {
		rows, err := tx.Query(ctx, "select "+columns+` from sallyport.revision where name = $1
			and revision = (select revision from sallyport.head where name = $1)`, s.name)
		if err != nil {
			return err
		}
		newest, err := pgx.CollectExactlyOneRow(rows, entry)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if p.Became(newest) {
			e.Published = newest.Published
			return nil
		}
		return &source.ConflictError{Base: p.Base, Newest: newest.Revision}
	}
	err = tx.QueryRow(ctx, `insert into sallyport.revision (name, revision, hash, author, commit_id, message, forced, restores)
		values ($1, $2, $3, $4, $5, $6, $7, $8) returning published`,
		s.name, int64(e.Revision), e.Hash, e.Author, e.Commit, e.Message, e.Forced, int64(e.Restores)).Scan(&e.Published)
	if err != nil {
		return err
	}
	for _, f := range p.Files {
		content := f.Content
		if content == nil {
			content = []byte{} // nil would be null
		}
		_, err := tx.Exec(ctx, "insert into sallyport.file (name, revision, path, content, edit) values ($1, $2, $3, $4, nullif($5, ''))",
			s.name, int64(e.Revision), f.Name, content, edit)
		if err != nil {
			return err
		}
		edit = ""
	}
	// Every role of the database may listen, so the notification contains nothing
	// of the files.
	_, err = tx.Exec(ctx, "select pg_notify($1, $2)", channel, s.name)
	return err
}
