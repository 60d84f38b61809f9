// Package redis keeps what several instances share in Redis or Valkey: a
// [source.Store] for policies, users and keys, with their history.
//
// A publication is one script, which compares, writes and publishes the
// notification in one step. The server must keep its data: a policy store is not a
// cache, so set maxmemory-policy to noeviction and appendonly to yes. If a server
// nevertheless loses a revision, for instance by failing over before its replica
// has it, instances notice, and keep what they have until somebody publishes again.
package redis

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/redis/internal/connect"
)

// Store is a [source.Store] in Redis. It is safe for concurrent use.
type Store struct {
	client *connect.Client
	// quick is for small and frequent requests: a connection whose other end has
	// silently disappeared must not delay them for long. slow is for files.
	quick, slow *connect.Client
	prefix      string
	hinted      atomic.Uint64 // the last revision notified
	edited      atomic.Uint64 // the last revision notified with an edit
	edits       source.Edits
}

var _ source.Store = (*Store)(nil)

// Option configures [New].
type Option func(*settings) error

type settings struct{ connect.Settings }

// WithName names the set of files, for servers that hold several: "default" by
// default. Keys begin with "sallyport:{NAME}:", so that in a cluster they are on
// one node.
func WithName(name string) Option {
	return func(s *settings) error { return s.SetName(name) }
}

// WithUnverifiedServer allows a connection to another machine without TLS. Anyone
// on the path can then read and replace policies.
func WithUnverifiedServer() Option { return func(s *settings) error { return s.SetUnverified() } }

// WithRootCAs sets the authorities that may sign the server's certificate, in place
// of those that the system trusts. It is for URLs that begin with rediss://.
func WithRootCAs(pool *x509.CertPool) Option {
	return func(s *settings) error { return s.SetRootCAs(pool) }
}

// New returns a store on the server that a URL names, such as
//
//	rediss://reader:…@cache.example:6379/0
//
// It does not connect. A connection to another machine must be rediss://, with
// TLS: New refuses others without [WithUnverifiedServer], and a URL that has
// skip_verify.
//
// Any node of a cluster may be named: keys are followed to the node that has them. With
// master_name in the query, the URL names Sentinels, as in [redis.ParseFailoverURL].
func New(url string, opts ...Option) (*Store, error) {
	s := settings{connect.Defaults()}
	if err := option.Apply(&s, opts); err != nil {
		return nil, fmt.Errorf("source/redis: %w", err)
	}
	o, err := s.Options(url)
	if err != nil {
		return nil, fmt.Errorf("source/redis: %w", err)
	}
	asGiven := o.ReadTimeout != 0 // set by the URL
	c := s.Client(o)
	store := &Store{client: c, quick: c, slow: c, prefix: s.Prefix()}
	if !asGiven {
		store.quick, store.slow = c.WithTimeout(time.Second), c.WithTimeout(time.Minute)
	}
	return store, nil
}

// Close implements [source.Store].
func (s *Store) Close() error {
	// They share connections, so that only the first that is closed has any.
	err := s.client.Close()
	_, _ = s.quick.Close(), s.slow.Close()
	return err
}

func (s *Store) head() string    { return s.prefix + "head" }
func (s *Store) history() string { return s.prefix + "history" }
func (s *Store) channel() string { return s.prefix + "changed" }

// edit returns the key with the edit that leads to the newest revision, "" if there
// is none.
func (s *Store) edit() string { return s.prefix + "edit" }
func (s *Store) at(r source.Revision) string {
	return s.prefix + strconv.FormatUint(uint64(r), 10)
}

// filesAt returns the key with the packed files of a revision.
func (s *Store) filesAt(r source.Revision) string { return s.at(r) + ":files" }

// The fields of a revision: its entry and the time.
const (
	entryField = "entry"
	timeField  = "time"
)

const (
	// maxHead is more than the size of the key with the newest revision.
	maxHead = 128
	// maxEntry is the maximum size of an entry: more than four long texts need,
	// escaped.
	maxEntry = 1 << 20
)

// Fetch implements [source.Source]. It costs one small key if the revision is known, and
// one round trip for a revision that was notified and is small or has an edit.
func (s *Store) Fetch(ctx context.Context, known source.State) (source.Fetched, error) {
	hinted := source.Revision(s.hinted.Load())
	p := s.quick.Pipeline()
	head := p.GetRange(ctx, s.head(), 0, maxHead-1)
	var files *packed
	edit := new(redis.StringCmd)
	switch {
	case hinted <= known.Revision:
	case source.Revision(s.edited.Load()) == hinted && known != source.State{}:
		edit = p.GetRange(ctx, s.edit(), 0, source.MaxEdit)
	default:
		files = s.packed(ctx, p, hinted)
	}
	if _, err := p.Exec(ctx); err != nil {
		return source.Fetched{}, fmt.Errorf("source/redis: read revision: %w", err)
	}
	newest, err := s.newest(head.Val())
	if err != nil || newest == known {
		return source.Fetched{State: newest}, err
	}
	if newest.Revision != hinted {
		files = nil // they are of another revision
	}
	if known != (source.State{}) {
		if c := s.edits.Content(newest, edit.Val()); c != nil {
			return source.Fetched{State: newest, Content: c}, nil
		}
	}
	c, err := s.content(ctx, newest.Revision, files)
	if err != nil {
		return source.Fetched{}, fmt.Errorf("source/redis: read revision %d: %w", newest.Revision, err)
	}
	s.edits.Keep(newest, c)
	return source.Fetched{State: newest, Content: c}, nil
}

// newest parses the newest revision, stored as "7 HASH"; without one it returns ErrEmpty.
func (s *Store) newest(text string) (source.State, error) {
	if text == "" { // the key does not exist
		return source.State{}, source.ErrEmpty
	}
	number, hash, _ := strings.Cut(text, " ")
	r, err := strconv.ParseUint(number, 10, 63)
	if err != nil || r == 0 || hash == "" || len(text) == maxHead {
		return source.State{}, fmt.Errorf("source/redis: read revision: key %s is not a revision", s.head())
	}
	return source.State{Revision: source.Revision(r), Hash: hash}, nil
}

// Listen implements [source.Source]. A notification contains the revision, and whether
// there is an edit that leads to it. The next Fetch reads the edit or the files of that
// revision together with the number of the newest one, which it probably is.
func (s *Store) Listen(ctx context.Context, hint func()) error {
	err := connect.Listen(ctx, s.client, s.channel(), func(text string) {
		number, edited := strings.CutSuffix(text, withEdit)
		if r, err := strconv.ParseUint(number, 10, 63); err == nil {
			if edited {
				s.edited.Store(r)
			}
			s.hinted.Store(r)
		}
		hint()
	})
	if err != nil {
		return fmt.Errorf("source/redis: listen: %w", err)
	}
	return nil
}

// withEdit ends a notification if there is an edit. It does not contain the edit itself,
// since a server may let users hear channels who may not read keys.
const withEdit = " edit"

// publish compares and swaps: it returns 0 and the newest revision if that is not the
// base, otherwise 1 and the time. A revision published by this very call is not a
// conflict, because the call is sent again if a response was lost. Nobody reads before
// the script ends; notifying first means that a user who may not is refused as a whole.
var publish = redis.NewScript(`
local head = redis.call('GET', KEYS[1])
local newest = '0'
if head then newest = string.match(head, '^%d+') end
if newest ~= ARGV[1] then
  local was = redis.call('HMGET', KEYS[3], 'entry', 'time')
  if head == ARGV[2] .. ' ' .. ARGV[3] and was[1] == ARGV[5] then return {1, was[2]} end
  return {0, newest}
end
local now = redis.call('TIME')
redis.call('PUBLISH', ARGV[4], ARGV[8])
redis.call('HSET', KEYS[3], 'entry', ARGV[5], 'time', now[1])
redis.call('SET', KEYS[4], ARGV[6])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[2])
redis.call('SET', KEYS[1], ARGV[2] .. ' ' .. ARGV[3])
redis.call('SET', KEYS[5], ARGV[7])
return {1, now[1]}
`)

// Publish implements [source.Store].
func (s *Store) Publish(ctx context.Context, p source.Publication) (source.Entry, error) {
	if err := p.Check(); err != nil {
		return source.Entry{}, fmt.Errorf("source/redis: publish: %w", err)
	}
	e := source.Entry{Revision: p.Next(), Hash: source.HashFiles(p.Files), Note: p.Note}
	note, err := json.Marshal(e)
	if err != nil {
		return source.Entry{}, fmt.Errorf("source/redis: publish: %w", err)
	}
	keys := []string{s.head(), s.history(), s.at(e.Revision), s.filesAt(e.Revision), s.edit()}
	// Instances without support for edits accept any text as a notification.
	notice := strconv.FormatUint(uint64(e.Revision), 10)
	to := source.State{Revision: e.Revision, Hash: e.Hash}
	edit := s.edits.Text(p.Base, to, p.Files)
	if edit != "" {
		notice += withEdit
	}
	text := pack(p.Files)
	got, err := publish.Run(ctx, s.slow, keys, uint64(p.Base), uint64(e.Revision), e.Hash, s.channel(), note, text, edit, notice).Slice()
	if err != nil {
		return source.Entry{}, fmt.Errorf("source/redis: publish: %w", err)
	}
	if len(got) != 2 {
		return source.Entry{}, fmt.Errorf("source/redis: publish: answer %v", got)
	}
	n, err := strconv.ParseInt(fmt.Sprint(got[1]), 10, 64)
	if err != nil {
		return source.Entry{}, fmt.Errorf("source/redis: publish: %w", err)
	}
	if done, _ := got[0].(int64); done == 0 {
		return source.Entry{}, &source.ConflictError{Base: p.Base, Newest: source.Revision(n)}
	}
	e.Published = time.Unix(n, 0)
	// The next edit starts from these files. The caller may modify its slice, but not
	// text.
	if files, err := unpack(text); err == nil {
		if c, err := source.NewContent(e.Revision, files); err == nil {
			s.edits.Keep(to, c)
		}
	}
	return e, nil
}

// At implements [source.Store].
func (s *Store) At(ctx context.Context, r source.Revision) (*source.Content, source.Entry, error) {
	e, err := s.entry(ctx, r)
	if err != nil {
		return nil, source.Entry{}, err
	}
	c, err := s.content(ctx, r, nil)
	if err == nil && c.Hash() != e.Hash {
		err = errors.New("its files are not those that were published")
	}
	if err != nil {
		return nil, source.Entry{}, fmt.Errorf("source/redis: read revision %d: %w", r, err)
	}
	return c, e, nil
}

// entry reads the entry of a revision, up to the maximum size.
func (s *Store) entry(ctx context.Context, r source.Revision) (source.Entry, error) {
	var e source.Entry
	failed := func(err error) (source.Entry, error) {
		return source.Entry{}, fmt.Errorf("source/redis: read revision %d: %w", r, err)
	}
	p := s.client.Pipeline()
	sizes := []*redis.IntCmd{p.HStrLen(ctx, s.at(r), entryField), p.HStrLen(ctx, s.at(r), timeField)}
	if _, err := p.Exec(ctx); err != nil {
		return failed(err)
	}
	if sizes[0].Val()+sizes[1].Val() > maxEntry {
		return failed(fmt.Errorf("its entry has more than %d bytes", maxEntry))
	}
	values, err := s.client.HMGet(ctx, s.at(r), entryField, timeField).Result()
	if err != nil {
		return failed(err)
	}
	note, noted := values[0].(string)
	seconds, timed := values[1].(string)
	if !noted || !timed {
		return source.Entry{}, fmt.Errorf("source/redis: revision %d: %w", r, source.ErrNoRevision)
	}
	if err := json.Unmarshal([]byte(note), &e); err != nil {
		return failed(err)
	}
	if e.Revision != r {
		return failed(fmt.Errorf("its entry is of revision %d", e.Revision))
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return failed(err)
	}
	e.Published = time.Unix(n, 0)
	return e, nil
}

// History implements [source.Store].
func (s *Store) History(ctx context.Context, before source.Revision, limit int) ([]source.Entry, error) {
	most := "+inf"
	if before != 0 {
		most = "(" + strconv.FormatUint(uint64(before), 10)
	}
	numbers, err := s.client.ZRangeArgs(ctx, redis.ZRangeArgs{
		Key: s.history(), Start: most, Stop: "-inf", ByScore: true, Rev: true, Count: int64(limit),
	}).Result()
	if err != nil {
		return nil, fmt.Errorf("source/redis: read history: %w", err)
	}
	var all []source.Entry
	for _, number := range numbers {
		n, err := strconv.ParseUint(number, 10, 63)
		if err != nil {
			return nil, fmt.Errorf("source/redis: read history: %w", err)
		}
		e, err := s.entry(ctx, source.Revision(n))
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}
