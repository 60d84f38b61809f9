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

type settings struct {
	name       string
	unverified bool
}

// WithName names the set of files, for servers that hold several: "default" by
// default. Keys begin with "sallyport:{NAME}:", so that in a cluster they are on
// one node.
func WithName(name string) Option {
	return func(s *settings) error {
		if name == "" || len(name) > 100 || strings.ContainsAny(name, " {}\x00") {
			return fmt.Errorf("name %q: want up to 100 characters without a space and braces", name)
		}
		s.name = name
		return nil
	}
}

// WithUnverifiedServer lets a connection to another machine do without TLS.
// Whoever is on the way can then read and replace policies.
func WithUnverifiedServer() Option {
	return func(s *settings) error {
		s.unverified = true
		return nil
	}
}

// New makes a store of the server that a URL names, such as
//
//	rediss://reader:…@cache.example:6379/0
//
// It does not connect. A connection to another machine must be rediss://, with
// TLS: New refuses others without [WithUnverifiedServer], and a URL that has
// skip_verify.
func New(url string, opts ...Option) (*Store, error) {
	s := settings{name: "default"}
	if err := option.Apply(&s, opts); err != nil {
		return nil, fmt.Errorf("source/redis: %w", err)
	}
	o, err := connect.Options(url, s.unverified)
	if err != nil {
		return nil, fmt.Errorf("source/redis: %w", err)
	}
	return &Store{redis.NewClient(o), connect.Prefix(s.name)}, nil
}

// Close implements [source.Store].
func (s *Store) Close() error { return s.client.Close() }

func (s *Store) head() string    { return s.prefix + "head" }
func (s *Store) history() string { return s.prefix + "history" }
func (s *Store) channel() string { return s.prefix + "changed" }
func (s *Store) at(r source.Revision) string {
	return s.prefix + strconv.FormatUint(uint64(r), 10)
}

// The fields of a revision: its entry, and each file behind a prefix.
const (
	entryField = "entry"
	filePrefix = "file:"
)

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
	text, err := s.client.Get(ctx, s.head()).Result()
	if errors.Is(err, redis.Nil) {
		return source.State{}, source.ErrEmpty
	}
	if err != nil {
		return source.State{}, fmt.Errorf("source/redis: read revision: %w", err)
	}
	number, hash, _ := strings.Cut(text, " ")
	r, err := strconv.ParseUint(number, 10, 63)
	if err != nil || r == 0 || hash == "" {
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
	note, err := json.Marshal(e)
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
	fields, err := s.client.HGetAll(ctx, s.at(r)).Result()
	if err != nil {
		return nil, source.Entry{}, fmt.Errorf("source/redis: read revision %d: %w", r, err)
	}
	e, err := entry(r, fields[entryField], fields["time"])
	if err != nil {
		return nil, source.Entry{}, err
	}
	var files []source.File
	for field, text := range fields {
		if name, is := strings.CutPrefix(field, filePrefix); is {
			files = append(files, source.File{Name: name, Content: []byte(text)})
		}
	}
	c, err := source.NewContent(r, files)
	if err == nil && c.Hash() != e.Hash {
		err = errors.New("its files are not those that were published")
	}
	if err != nil {
		return nil, source.Entry{}, fmt.Errorf("source/redis: read revision %d: %w", r, err)
	}
	return c, e, nil
}

// entry reads the entry of a revision.
func entry(r source.Revision, text, seconds string) (e source.Entry, err error) {
	if text == "" {
		return e, fmt.Errorf("source/redis: revision %d: %w", r, source.ErrNoRevision)
	}
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return e, fmt.Errorf("source/redis: read revision %d: %w", r, err)
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return e, fmt.Errorf("source/redis: read revision %d: %w", r, err)
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
		fields, err := s.client.HMGet(ctx, s.at(source.Revision(n)), entryField, "time").Result()
		if err != nil {
			return nil, fmt.Errorf("source/redis: read history: %w", err)
		}
		text, _ := fields[0].(string)
		seconds, _ := fields[1].(string)
		e, err := entry(source.Revision(n), text, seconds)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}
