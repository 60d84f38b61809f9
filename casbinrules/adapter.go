package casbinrules

import (
	"errors"
	"fmt"

	"github.com/casbin/casbin/v2/persist"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core/watch"
)

// adapterFile stands for a file name in the places of rules from an adapter.
const adapterFile = "adapter"

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
	return assemble(sources{fsys: hostFS{}, model: m, rows: load}, opts)
}

// readRows reads all rows, and the model first.
func (s *sources) readRows() (*contents, error) {
	m, err := s.model.read(s.fsys)
	if err != nil {
		return nil, err
	}
	in := &contents{model: m, adapted: true}
	// What is wrong with the model is found when it is read once more.
	if _, err := s.casbin.ReadModel(m.text); err == nil {
		if in.rows, err = s.rows(m.text); err != nil {
			return nil, fmt.Errorf("read policy: adapter: %w", err)
		}
	}
	// The content is only summed up, so it must not read the same for others.
	var content []byte
	for _, row := range in.rows {
		content = fmt.Appendf(content, "%q\n", row)
	}
	in.policies = []watch.File{{Name: adapterFile, Content: content}}
	return in, nil
}

// showRows adds to each finding the row it is about, which no editor opens at
// its number.
func showRows(findings []Finding, rows [][]string) {
	for i := range findings {
		if f := &findings[i]; f.File == adapterFile && 0 < f.Line && f.Line <= len(rows) {
			f.Message += ", in the row " + cut(policy.LineText(rows[f.Line-1]))
		}
	}
}
