package casbinrules

import (
	"errors"

	"github.com/casbin/casbin/v2/persist"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/source"
)

// FromAdapter reads the policy through a Casbin adapter, such as that of a
// database, and decides as after [Open]: the rows are checked as lines of a
// file are, by the same findings, and put into force whole or not at all. The
// adapter is only ever asked to load.
//
// A row is named "adapter:12". Rows are counted as the adapter gives them, the
// p rows first, then those of g, g2 and so on; findings show the row as well. A
// row that Casbin itself refuses, of a wrong number of fields or an unknown
// kind, is the adapter's error.
//
// [Authorizer.Reload] loads again, and [WithWatcher] does so by itself. While
// the database is gone, or its rows are no good policy, the last good one
// stays in force: see [WithReloadObserver] and [Authorizer.Status]. At the start either
// is an error.
//
// No two loads run at a time. The adapter has to bound the time of a load
// itself, and has to read in one transaction if others write meanwhile.
func FromAdapter(m Model, adapter persist.Adapter, opts ...Option) (*Authorizer, error) {
	if isNil(adapter) {
		return nil, errors.New("casbinrules: the adapter is nil")
	}
	return FromRows(m, func(model string) ([][]string, error) { return casbinv2.Load(model, adapter) }, opts...)
}

// FromRows is [FromAdapter] for rows from anywhere, such as a query of the
// application's own: load returns them, each with its kind first, as in
// []string{"p", "editor", "/reports", "GET"}. It is given the text of the model,
// which Casbin takes, and does not have to look at it. No two calls run at a
// time.
func FromRows(m Model, load func(model string) (rows [][]string, err error), opts ...Option) (*Authorizer, error) {
	if load == nil {
		return nil, errors.New("casbinrules: the function that loads the rows is nil")
	}
	return assemble(source.Sources{FS: source.Host{}, Model: m.of, Rows: load}, opts)
}
