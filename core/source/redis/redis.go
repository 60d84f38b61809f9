// Package redis keeps what several instances share in Redis or Valkey: a
// [source.Store] for policies, users and keys, with their history.
//
// A publication is one script, which compares, writes and publishes the
// notification in one step. The server must keep its data: a policy store is no
// cache, so that maxmemory-policy has to be noeviction and appendonly on. What a
// server loses all the same, as one that fails over before its replica has it,
// instances notice: they keep what they have until somebody publishes again.
package redis

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/redis/internal/connect"
)

// Store is a [source.Store] in Redis. It is safe for concurrent use.
type Store struct {
	client *redis.Client
	prefix string
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

// WithUnverifiedServer lets a connection to another machine do without TLS.
// Whoever is on the way can then read and replace policies.
func WithUnverifiedServer() Option { return func(s *settings) error { return s.SetUnverified() } }

// WithRootCAs sets which authorities may sign the certificate of the server, in place
// of those that the system trusts. It is for URLs that begin with rediss://.
func WithRootCAs(pool *x509.CertPool) Option {
	return func(s *settings) error { return s.SetRootCAs(pool) }
}

// New makes a store of the server that a URL names, such as
//
//	rediss://reader:…@cache.example:6379/0
//
// It does not connect. A connection to another machine must be rediss://, with
// TLS: New refuses others without [WithUnverifiedServer], and a URL that has
// skip_verify.
func New(url string, opts ...Option) (*Store, error) {
	s := settings{connect.Defaults()}
	if err := option.Apply(&s, opts); err != nil {
		return nil, fmt.Errorf("source/redis: %w", err)
	}
	o, err := s.Options(url)
	if err != nil {
		return nil, fmt.Errorf("source/redis: %w", err)
	}
	return &Store{s.Client(o), s.Prefix()}, nil
}

// Close implements [source.Store].
func (s *Store) Close() error { return s.client.Close() }

func (s *Store) head() string    { return s.prefix + "head" }
func (s *Store) history() string { return s.prefix + "history" }
func (s *Store) channel() string { return s.prefix + "changed" }
func (s *Store) at(r source.Revision) string {
	return s.prefix + strconv.FormatUint(uint64(r), 10)
}

// The fields of a revision: its entry, the time, and each file behind a prefix.
const (
	entryField = "entry"
	timeField  = "time"
	filePrefix = "file:"
)

const (
	// maxHead is more than the key with the newest revision has bytes.
	maxHead = 128
	// maxEntry is how many bytes an entry may have: more than a thousand long
	// names and four long texts need, escaped.
	maxEntry = 2 << 20
)

// kept is an entry as it is kept. The names of the files are in it, so that no
// field needs to be read that was not asked for, and none of unknown size.
type kept struct {
	source.Entry
	Files []string `json:"files"`
}

// Fetch implements [source.Source]. It costs one small key while the revision is
// known.
func (s *Store) Fetch(ctx context.Context, known source.State) (source.Fetched, error) {
	newest, err := s.newest(ctx)
	if err != nil || newest == known {
		return source.Fetched{State: newest}, err
	}
	c, e, err := s.At(ctx, newest.Revision)
	if err != nil {
		return source.Fetched{}, err
	}
	return source.Fetched{State: source.State{Revision: newest.Revision, Hash: e.Hash}, Content: c}, nil
}

// newest is the newest revision, or ErrEmpty. It is kept as "7 HASH".
func (s *Store) newest(ctx context.Context) (source.State, error) {
	text, err := s.client.GetRange(ctx, s.head(), 0, maxHead-1).Result()
	if err != nil {
		return source.State{}, fmt.Errorf("source/redis: read revision: %w", err)
	}
	if text == "" { // the key is not there
		return source.State{}, source.ErrEmpty
	}
	number, hash, _ := strings.Cut(text, " ")
	r, err := strconv.ParseUint(number, 10, 63)
	if err != nil || r == 0 || hash == "" || len(text) == maxHead {
		return source.State{}, fmt.Errorf("source/redis: read revision: key %s is no revision", s.head())
	}
	return source.State{Revision: source.Revision(r), Hash: hash}, nil
}

// Listen implements [source.Source].
func (s *Store) Listen(ctx context.Context, hint func()) error {
	if err := connect.Listen(ctx, s.client, s.channel(), hint); err != nil {
		return fmt.Errorf("source/redis: listen: %w", err)
	}
	return nil
}

// publish compares and swaps: 0 and the newest revision if another one than the
// base is the newest, else 1 and the time.
var publish = redis.NewScript(`
local head = redis.call('GET', KEYS[1])
local newest = '0'
if head then newest = string.match(head, '^%d+') end
if newest ~= ARGV[1] then return {0, newest} end
redis.call('DEL', KEYS[3])
for i = 5, #ARGV, 2 do redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1]) end
local now = redis.call('TIME')
redis.call('HSET', KEYS[3], 'time', now[1])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[2])
redis.call('SET', KEYS[1], ARGV[2] .. ' ' .. ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[2])
return {1, now[1]}
`)

// Publish implements [source.Store].
func (s *Store) Publish(ctx context.Context, p source.Publication) (source.Entry, error) {
	if err := p.Check(); err != nil {
		return source.Entry{}, fmt.Errorf("source/redis: publish: %w", err)
	}
	e := source.Entry{Revision: p.Next(), Hash: source.HashFiles(p.Files), Note: p.Note}
	files := make([]string, len(p.Files))
	for i, f := range p.Files {
		files[i] = f.Name
	}
	note, err := json.Marshal(kept{e, files})
	if err != nil {
		return source.Entry{}, fmt.Errorf("source/redis: publish: %w", err)
	}
	args := []any{uint64(p.Base), uint64(e.Revision), e.Hash, s.channel(), entryField, note}
	for _, f := range p.Files {
		args = append(args, filePrefix+f.Name, f.Content)
	}
	got, err := publish.Run(ctx, s.client, []string{s.head(), s.history(), s.at(e.Revision)}, args...).Slice()
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
	return e, nil
}

// At implements [source.Store].
func (s *Store) At(ctx context.Context, r source.Revision) (*source.Content, source.Entry, error) {
	k, err := s.entry(ctx, r)
	if err != nil {
		return nil, source.Entry{}, err
	}
	c, err := s.content(ctx, k)
	if err != nil {
		return nil, source.Entry{}, fmt.Errorf("source/redis: read revision %d: %w", r, err)
	}
	return c, k.Entry, nil
}

// content reads the files of a revision.
func (s *Store) content(ctx context.Context, k *kept) (*source.Content, error) {
	if len(k.Files) == 0 || len(k.Files) > source.MaxFiles {
		return nil, fmt.Errorf("its entry names %d files, and from 1 to %d are allowed", len(k.Files), source.MaxFiles)
	}
	fields := make([]string, len(k.Files))
	for i, name := range k.Files {
		fields[i] = filePrefix + name
	}
	texts, err := s.fields(ctx, k.Revision, source.MaxSize, fields...)
	if err != nil {
		return nil, err
	}
	files := make([]source.File, len(texts))
	for i, text := range texts {
		if text == nil {
			return nil, fmt.Errorf("its file %q is missing", k.Files[i])
		}
		files[i] = source.File{Name: k.Files[i], Content: []byte(*text)}
	}
	c, err := source.NewContent(k.Revision, files)
	if err == nil && c.Hash() != k.Hash {
		err = errors.New("its files are not those that were published")
	}
	return c, err
}

// fields reads some fields of a revision, nil for those that are not there, if they
// have at most limit bytes together: nobody who can write to the server can make
// instances take more.
func (s *Store) fields(ctx context.Context, r source.Revision, limit int64, names ...string) ([]*string, error) {
	sizes := make([]*redis.IntCmd, len(names))
	_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, name := range names {
			sizes[i] = p.HStrLen(ctx, s.at(r), name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	size := int64(0)
	for _, n := range sizes {
		if size += n.Val(); size > limit {
			return nil, fmt.Errorf("it has more than %d bytes", limit)
		}
	}
	values, err := s.client.HMGet(ctx, s.at(r), names...).Result()
	if err != nil {
		return nil, err
	}
	texts := make([]*string, len(names))
	for i, v := range values {
		if text, ok := v.(string); ok {
			texts[i] = &text
		}
	}
	return texts, nil
}

// entry reads the entry of a revision.
func (s *Store) entry(ctx context.Context, r source.Revision) (*kept, error) {
	texts, err := s.fields(ctx, r, maxEntry, entryField, timeField)
	if err != nil {
		return nil, fmt.Errorf("source/redis: read revision %d: %w", r, err)
	}
	if texts[0] == nil || texts[1] == nil {
		return nil, fmt.Errorf("source/redis: revision %d: %w", r, source.ErrNoRevision)
	}
	k := new(kept)
	if err := json.Unmarshal([]byte(*texts[0]), k); err != nil {
		return nil, fmt.Errorf("source/redis: read revision %d: %w", r, err)
	}
	if k.Revision != r {
		return nil, fmt.Errorf("source/redis: read revision %d: its entry is of revision %d", r, k.Revision)
	}
	n, err := strconv.ParseInt(*texts[1], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("source/redis: read revision %d: %w", r, err)
	}
	k.Published = time.Unix(n, 0)
	return k, nil
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
		k, err := s.entry(ctx, source.Revision(n))
		if err != nil {
			return nil, err
		}
		all = append(all, k.Entry)
	}
	return all, nil
}
