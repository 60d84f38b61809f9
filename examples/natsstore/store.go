// Package natsstore keeps policies that instances share in NATS: an example of a store
// of one's own ([source.Store]), on a stream of JetStream. Copy it, and leave out what
// you do not need: instances call Fetch and Listen alone.
//
// A message of the stream is a revision. NATS compares and swaps by the sequence of the
// last one, and hands each message to who listens, as the hint. What is lost of that is
// read at the next poll, as with any store.
package natsstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/sallyport-go/sallyport/core/source"
)

// timeout is how long a server may take for an answer. A request whose connection is
// lost would wait for ever.
const timeout = 2 * time.Second

// Store is a [source.Store] in a stream. It is safe for concurrent use.
type Store struct {
	conn    *nats.Conn
	js      jetstream.JetStream
	stream  string
	subject string
}

var _ source.Store = (*Store)(nil)

// record is what a message holds. A server takes messages of 1 MiB by default, which
// bounds the files of a revision at some 700 KiB (max_payload).
type record struct {
	source.Entry
	Files []source.File `json:"files"`

	sequence uint64 // of the message
}

// New makes a store of the named set of files, on a connection that is made again
// whenever it is lost. It asks the server nothing.
//
// While there is no connection an error should say so at once, and one that is silent
// should be given up soon:
//
//	nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(250*time.Millisecond),
//		nats.ReconnectBufSize(-1), nats.PingInterval(5*time.Second))
func New(conn *nats.Conn, name string) (*Store, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, fmt.Errorf("natsstore: %w", err)
	}
	return &Store{conn, js, "sallyport-" + name, "sallyport." + name}, nil
}

// Create makes the stream if it is not there. Nothing can be deleted from it. It needs
// rights that instances should not have: these read the stream, and subscribe to its
// subject.
func (s *Store) Create(ctx context.Context) error {
	_, err := s.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: s.stream, Subjects: []string{s.subject}, DenyDelete: true, DenyPurge: true,
	})
	return wrap("create the stream", err)
}

// Close leaves the connection to who has made it.
func (s *Store) Close() error { return nil }

// Fetch implements [source.Source].
func (s *Store) Fetch(ctx context.Context, known source.State) (source.Fetched, error) {
	_, r, err := s.last(ctx)
	if err != nil {
		return source.Fetched{}, wrap("read the newest revision", err)
	}
	got := source.Fetched{State: source.State{Revision: r.Revision, Hash: r.Hash}}
	if got.State != known {
		got.Content, err = r.content()
	}
	return got, wrap("read the newest revision", err)
}

// Listen implements [source.Source]. It ends when the connection is lost: what was
// published until it is back is read when it is listened again.
func (s *Store) Listen(ctx context.Context, hint func()) error {
	lost := s.conn.StatusChanged(nats.RECONNECTING, nats.CLOSED)
	defer s.conn.RemoveStatusListener(lost)
	sub, err := s.conn.Subscribe(s.subject, func(*nats.Msg) { hint() })
	if err != nil {
		return wrap("listen", err)
	}
	defer func() { _ = sub.Unsubscribe() }() // a connection that is gone has no subscriptions
	subscribing, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := s.conn.FlushWithContext(subscribing); err != nil {
		return wrap("listen", err)
	}
	hint()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case status := <-lost:
		return fmt.Errorf("natsstore: listen: the connection is %v", status)
	}
}

// Publish implements [source.Store].
func (s *Store) Publish(ctx context.Context, p source.Publication) (source.Entry, error) {
	if err := p.Check(); err != nil {
		return source.Entry{}, wrap("publish", err)
	}
	stream, newest, err := s.last(ctx)
	if err != nil && !errors.Is(err, source.ErrEmpty) {
		return source.Entry{}, wrap("publish", err)
	}
	if p.Became(newest.Entry) {
		return newest.Entry, nil
	}
	if newest.Revision != p.Base {
		return source.Entry{}, &source.ConflictError{Base: p.Base, Newest: newest.Revision}
	}
	e := source.Entry{Revision: p.Next(), Hash: source.HashFiles(p.Files), Note: p.Note}
	data, err := json.Marshal(record{Entry: e, Files: p.Files})
	if err != nil {
		return source.Entry{}, wrap("publish", err)
	}
	asking, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	kept, err := s.js.Publish(asking, s.subject, data, jetstream.WithExpectLastSequencePerSubject(newest.sequence))
	var refused *jetstream.APIError
	if errors.As(err, &refused) && refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
		if _, newest, err = s.last(ctx); err == nil {
			return source.Entry{}, &source.ConflictError{Base: p.Base, Newest: newest.Revision}
		}
	}
	if err == nil {
		newest, err = read(stream.GetMsg(asking, kept.Sequence)) // with the time of the server
	}
	if err != nil {
		return source.Entry{}, wrap("publish", err)
	}
	return newest.Entry, nil
}

// At implements [source.Store].
func (s *Store) At(ctx context.Context, want source.Revision) (c *source.Content, e source.Entry, err error) {
	err = s.back(ctx, func(r *record) bool {
		if r.Revision == want {
			c, err = r.content()
			e = r.Entry
		}
		return r.Revision > want
	})
	if err == nil && c == nil {
		err = source.ErrNoRevision
	}
	return c, e, wrap(fmt.Sprintf("read revision %d", want), err)
}

// History implements [source.Store].
func (s *Store) History(ctx context.Context, before source.Revision, limit int) (all []source.Entry, err error) {
	err = s.back(ctx, func(r *record) bool {
		if len(all) < limit && (before == 0 || r.Revision < before) {
			all = append(all, r.Entry)
		}
		return len(all) < limit
	})
	return all, wrap("read the history", err)
}

// back visits the revisions from the newest to the first, until visit is false. Each
// costs a request.
func (s *Store) back(ctx context.Context, visit func(*record) bool) error {
	stream, r, err := s.last(ctx)
	if errors.Is(err, source.ErrEmpty) {
		return nil
	}
	for err == nil && visit(r) && r.sequence > 1 {
		r, err = read(stream.GetMsg(ctx, r.sequence-1))
	}
	return err
}

// last reads the newest revision. Before there is one the record is empty.
func (s *Store) last(ctx context.Context) (jetstream.Stream, *record, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	stream, err := s.js.Stream(ctx, s.stream)
	if err != nil {
		return nil, &record{}, err
	}
	r, err := read(stream.GetLastMsgForSubject(ctx, s.subject))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return stream, &record{}, source.ErrEmpty
	}
	return stream, r, err
}

func read(m *jetstream.RawStreamMsg, err error) (*record, error) {
	if err != nil {
		return &record{}, err
	}
	r := &record{sequence: m.Sequence}
	if err := json.Unmarshal(m.Data, r); err != nil {
		return &record{}, fmt.Errorf("message %d: %w", m.Sequence, err)
	}
	r.Published = m.Time // by the clock of the server
	return r, nil
}

// content is that of a record, if it is what was published.
func (r *record) content() (*source.Content, error) {
	c, err := source.NewContent(r.Revision, r.Files)
	if err == nil && c.Hash() != r.Hash {
		err = fmt.Errorf("revision %d: its files are not those that were published", r.Revision)
	}
	return c, err
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("natsstore: %s: %w", doing, err)
}
