// Package setup assembles a guard from one YAML file:
//
//	realm: reports
//	bearer:
//	  issuer: https://idp.example
//	  audience: reports
//	  jwks: jwks.json
//	policy:
//	  model: model.conf
//	  files: policy.csv
//
// It is opened, and mounted with the adapter of any framework:
//
//	s, err := setup.Open("sallyport.yaml")
//	if err != nil {
//		return err // every mistake, with line and column
//	}
//	defer s.Close()
//	mux.Handle("GET /reports/{id}", httpauth.Authorize(s.Guard())(handler))
//	return http.ListenAndServe("127.0.0.1:8080", mux)
//
// The page docs/configuration.md lists every key; the command "sallyport config
// check" says what is wrong with a file, and "sallyport config schema" prints a
// JSON schema for editors.
//
// The file is read strictly: an unknown key, a value of another type and a missing
// file are errors with line and column. Options of the packages can do everything
// that the file can, and more; see [WithGuard].
package setup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/setup/internal/decode"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/forwardauth"
	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/source"
)

// Error is one mistake in a file: where, what, and what to do.
type Error = decode.Error

// Errors are all mistakes in a file, in order.
type Errors = decode.Errors

// Setup is a guard assembled from a file, and what keeps its parts up to date. It is
// safe for concurrent use.
type Setup struct {
	guard     *core.Guard
	realm     string
	schemes   []Scheme
	policy    *casbinrules.Authorizer // nil if there is none
	sessions  *session.Manager        // nil if there is none
	signIn    SignIn                  // nil if there is none
	names     *core.Pseudonyms        // nil if there are none
	decisions *decisionLog            // nil if there is none
	service   *forwardauth.Service    // nil if there is none
	address   string
	page      http.Handler // nil if there is none
	log       *slog.Logger
	reloads   []func(context.Context) error
	closers   []func() error // in the order in which they were opened

	remote []func(context.Context) error // what Ready asks

	revocations *revoke.Follower        // nil if there is no log of them
	revoked     map[string]*revokedFile // files of them, by path

	store    decode.Kind            // of the policy
	followed []func() source.Status // what follows that store
}

// Open reads the file at path and assembles the guard it describes. Relative paths in
// it start at its folder.
//
// Mistakes in the file itself are an [Errors], all at once; so are those in the files
// that it names, once it has none itself. A single mistake there is an [*Error]. Each
// wraps the error of its package, such as a [*casbinrules.FindingsError]. After an
// error nothing is left running.
//
// The files that it names, except itself, are watched while the service runs: an edit
// takes effect whole or not at all, and the outcome is logged. Keys are fetched in the
// background; until an issuer has answered, its tokens are 503. [Setup.Ready] waits
// for it.
func Open(path string, opts ...Option) (*Setup, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		hint := ""
		if errors.Is(err, os.ErrNotExist) {
			hint = " (sallyport init --framework … writes one)"
		}
		return nil, fmt.Errorf("setup: %w%s", err, hint)
	}
	o := settings{ctx: context.Background()}
	if err := option.Apply(&o, opts); err != nil {
		return nil, fmt.Errorf("setup: %w", err)
	}
	c, doc, err := read(path, text)
	if err != nil {
		return nil, err
	}
	a := &assembly{config: c, doc: doc, settings: o, made: &Setup{}}
	if err := a.assemble(); err != nil {
		return nil, errors.Join(err, a.made.Close())
	}
	a.settings.predecessor = nil // or it would stay in memory as long as this one
	a.made.reloads = append(a.made.reloads, a.unchanged)
	return a.made, nil
}

// ErrReadOnce is matched by the error of [Setup.Reload] if a file has changed that is read
// only by [Open]. A setup that is opened with [WithPredecessor] has its new content.
var ErrReadOnce = errors.New("it has changed, and is read only when the configuration is opened")

// unchanged returns an error if a file has changed that is read only once.
func (a *assembly) unchanged(context.Context) error {
	var errs []error
	for _, path := range a.doc.Changed() {
		errs = append(errs, fmt.Errorf("%s: %w", path, ErrReadOnce))
	}
	return errors.Join(errs...)
}

// read parses the text of the file at path.
func read(path string, text []byte) (*config, *decode.Document, error) {
	var c config
	doc, err := decode.Read(text, decode.Source{
		Name: path, Dir: filepath.Dir(path), Env: os.LookupEnv, Kinds: lookupKind,
	}, &c)
	return &c, doc, err
}

// Realm returns the name of the service in challenges.
func (s *Setup) Realm() string { return s.realm }

// Guard returns the guard. It keeps working after Close, with what was loaded last.
func (s *Setup) Guard() *core.Guard { return s.guard }

// Policy returns the authorizer of the policy, or nil if the file has none, for
// example for its status and for Explain.
func (s *Setup) Policy() *casbinrules.Authorizer { return s.policy }

// Logger returns the logger for verdicts and reloads.
func (s *Setup) Logger() *slog.Logger { return s.log }

// Sessions returns the session manager, or nil if the file has none, for the routes
// where people sign in and out.
func (s *Setup) Sessions() *session.Manager { return s.sessions }

// SignIn returns the sign-in at another server, or nil if the file has none, for its
// routes.
func (s *Setup) SignIn() SignIn { return s.signIn }

// Reload reads all files that the configuration names now, without waiting for the
// watch to notice, and returns when their content is in force; call it on SIGHUP. A
// decision log is reopened, in case its file was renamed. An error names each file
// that was refused; its last good content stays in force. The configuration itself
// is not read again, nor are files that are read only once, such as secrets and
// authorities: if one of those has changed, the error matches [ErrReadOnce].
func (s *Setup) Reload(ctx context.Context) error {
	var errs []error
	for _, reload := range s.reloads {
		errs = append(errs, reload(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("setup: reload: %w", err)
	}
	return nil
}

// Close stops watching and fetching, and closes stores. Further calls return the same
// error.
func (s *Setup) Close() error {
	var errs []error
	for _, closes := range slices.Backward(s.closers) {
		errs = append(errs, closes())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("setup: close: %w", err)
	}
	return nil
}
