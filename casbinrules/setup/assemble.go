package setup

import (
	"errors"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/setup/internal/decode"
	"github.com/sallyport-go/sallyport/core"
)

// assembly is a setup while it is put together.
type assembly struct {
	config   *config
	doc      *decode.Document
	settings settings
	made     *Setup
}

// assemble opens every part in turn. What was opened is closed by made.
func (a *assembly) assemble() error {
	schemes, err := a.schemes()
	if err != nil {
		return err
	}
	opts := []core.Option{core.WithLogger(a.settings.log), core.WithObserver(core.LogObserver(a.settings.log))}
	if a.config.Policy != nil {
		if err := a.openPolicy(); err != nil {
			return err
		}
		opts = append(opts, core.WithAuthorizer(a.made.policy))
	}
	guard, err := core.NewGuard(schemes, append(opts, a.settings.guard...)...)
	if err != nil {
		return a.doc.Wrap(err)
	}
	a.made.guard = guard
	return nil
}

// schemes are those that the file has, in its order.
func (a *assembly) schemes() ([]core.Authenticator, error) {
	c := a.config
	type scheme struct {
		at  any // pointer to its field
		has bool
		new func() (core.Authenticator, error)
	}
	all := slices.DeleteFunc([]scheme{
		{&c.Bearer, c.Bearer != nil, a.bearer},
		{&c.Basic, c.Basic != nil, a.basic},
	}, func(s scheme) bool { return !s.has })
	if len(all) == 0 {
		return nil, a.doc.Wrap(errors.New("no scheme: the file needs one of bearer and basic, or nobody could sign in"))
	}
	slices.SortFunc(all, func(x, y scheme) int {
		if a.doc.Before(x.at, y.at) {
			return -1
		}
		return 1
	})
	schemes := make([]core.Authenticator, len(all))
	for i, s := range all {
		var err error
		if schemes[i], err = s.new(); err != nil {
			return nil, a.doc.Wrap(err, s.at)
		}
	}
	return schemes, nil
}
