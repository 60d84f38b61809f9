package casbinrules

import (
	"errors"

	"github.com/casbin/casbin/v2/persist"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/source"
)

// FromAdapter reads the policy through a Casbin adapter, such as one for a database,
// and decides like [Open]: rows are checked like lines of a file, with the same
// findings, and take effect whole or not at all. The adapter is only used to load.
//
// A row is named "adapter:12". Rows are counted in the adapter's order, the p rows
// first, then those of g, g2 and so on; findings also contain the row. If Casbin
// itself refuses a row, for a wrong number of fields or an unknown kind, the error
// is the adapter's.
//
// [Authorizer.Reload] loads the policy again, and [WithWatcher] does so after each
// change. While the database is down, or its rows are not a valid policy, the last
// good policy stays in force: see [WithReloadObserver] and [Authorizer.Status]. At
// the start either is an error.
//
// Loads never overlap. The adapter must itself limit the time of a load, and must
// read in one transaction if others write meanwhile.
func FromAdapter(m Model, adapter persist.Adapter, opts ...Option) (*Authorizer, error) {
	if isNil(adapter) {
		return nil, errors.New("casbinrules: the adapter is nil")
	}
	return FromRows(m, func(model string) ([][]string, error) { return casbinv2.Load(model, adapter) }, opts...)
}

// FromRows is [FromAdapter] for rows from any other place, such as a query of the
// application. load returns them, each beginning with its kind, as in []string{"p",
// "editor", "/reports", "GET"}. It receives the text of the model, for use with
// Casbin, and may ignore it. Calls never overlap.
func FromRows(m Model, load func(model string) (rows [][]string, err error), opts ...Option) (*Authorizer, error) {
	if load == nil {
		return nil, errors.New("casbinrules: the function that loads the rows is nil")
	}
	return assemble(source.Sources{FS: source.Host{}, Model: m.of, Rows: load}, opts)
}
