package setup

import (
	"log/slog"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
)

// Option configures [Open].
type Option func(*settings) error

// settings is what the options make.
type settings struct {
	log    *slog.Logger
	guard  []core.Option
	policy []casbinrules.Option
	// noWrites says that no file is written.
	noWrites    bool
	predecessor *Setup
}

// WithLogger sets where verdicts, reloads and warnings are logged, whatever the
// file says of it; slog's default logger where neither says something.
func WithLogger(l *slog.Logger) Option {
	return func(s *settings) error { return option.Set(&s.log, l, "logger is nil") }
}

// WithoutWrites leaves all files alone, for tools that open a setup while the service
// runs: the section decision_log is checked and no log is written, and neither is a
// last_good_file, which is not read then either, so that the store has to answer.
func WithoutWrites() Option {
	return func(s *settings) error {
		s.noWrites = true
		return nil
	}
}

// WithPredecessor opens a setup that takes the place of old, which still serves,
// as where a configuration has changed. The two share what only one of them can
// have: a decision log with the same file is taken over, with the new settings, once
// the rest of the file has been opened; a decision that is made in that instant may
// be missing from it. Close old when its last request has ended.
func WithPredecessor(old *Setup) Option {
	return func(s *settings) error { return option.Set(&s.predecessor, old, "predecessor is nil") }
}

// WithGuard adds options that a file cannot have, such as an observer or a
// responder of your own. What the file sets as well is an error where the guard
// takes it once. An observer is
// told beside the log.
func WithGuard(opts ...core.Option) Option {
	return func(s *settings) error {
		s.guard = append(s.guard, opts...)
		return nil
	}
}

// WithPolicy adds options of the policy that a file cannot have, such as an
// attribute that a function finds.
func WithPolicy(opts ...casbinrules.Option) Option {
	return func(s *settings) error {
		s.policy = append(s.policy, opts...)
		return nil
	}
}
