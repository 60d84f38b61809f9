package setup

import (
	"context"
	"log/slog"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
)

// Option configures [Open].
type Option func(*settings) error

// settings are the values that the options set.
type settings struct {
	log    *slog.Logger
	guard  []core.Option
	policy []casbinrules.Option
	// noWrites reports that no file may be written.
	noWrites    bool
	predecessor *Setup
	ctx         context.Context // ends waiting for stores
}

// WithLogger sets where verdicts, reloads and warnings are logged, whatever the file
// says; without either, slog's default logger is used.
func WithLogger(l *slog.Logger) Option {
	return func(s *settings) error { return option.Set(&s.log, l, "logger is nil") }
}

// WithoutWrites writes no files, for tools that open a setup while the service runs:
// the section decision_log is checked but no log is written. A last_good_file is
// neither written nor read, so the store must be available.
func WithoutWrites() Option { return func(s *settings) error { return option.On(&s.noWrites) } }

// WithContext makes [Open] wait for the stores that the file names no longer than until ctx
// ends, for programs that may be told to end meanwhile. Without it, Open waits as long as
// [source.WithStartTimeout] says.
func WithContext(ctx context.Context) Option {
	return func(s *settings) error { return option.Set(&s.ctx, ctx, "context is nil") }
}

// WithPredecessor opens a setup that replaces old, which is still serving, for
// example after the configuration has changed. If both have a decision log with the
// same file, which only one can write, the new setup takes it over with its own
// settings, once the rest of the file has been opened; a decision that is made in
// that instant may be missing from it. If the policy of both is in the same store, it
// must not show an older revision than old has seen there (source.ErrStepBack), unless
// the file has older_revisions. What old knows to be revoked stays revoked, though the
// log was emptied meanwhile. Close old after its last request.
func WithPredecessor(old *Setup) Option {
	return func(s *settings) error { return option.Set(&s.predecessor, old, "predecessor is nil") }
}

// WithGuard adds options that a file cannot have, such as an observer or a responder
// of your own. Setting something that the file sets as well is an error if the guard
// accepts it only once. An observer is called in addition to the log.
func WithGuard(opts ...core.Option) Option {
	return func(s *settings) error {
		s.guard = append(s.guard, opts...)
		return nil
	}
}

// WithPolicy adds options of the policy that a file cannot have, such as an attribute
// computed by a function.
func WithPolicy(opts ...casbinrules.Option) Option {
	return func(s *settings) error {
		s.policy = append(s.policy, opts...)
		return nil
	}
}
