package decode

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core/spelling"
)

// Error is one mistake in a file.
type Error struct {
	// File is the file name as given; Line and Column count from 1, Column in
	// characters. Line is 0 if the mistake has no place in the file.
	File         string
	Line, Column int
	// Key is the key with its parents, such as "bearer.issuer", or "".
	Key string
	// Message says what is wrong, and Hint, which may be "", what to do about it.
	Message, Hint string
	// Err is the underlying error, or nil.
	Err error
}

// Error returns "file:line:column: key: message (hint)".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	b.WriteString(": ")
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Errors are all mistakes in a file, in order.
type Errors []*Error

// Error returns one line for each.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns them, for errors.As.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, one := range e {
		all[i] = one
	}
	return all
}

// Join returns errs as one error, nil if all are nil. If they are an [*Error] or
// [Errors], so is the result, with each mistake once.
func Join(errs ...error) error {
	var all Errors
	for _, err := range errs {
		var more Errors
		switch err := err.(type) {
		case nil:
		case *Error:
			more = Errors{err}
		case Errors:
			more = err
		default:
			return errors.Join(errs...)
		}
		for _, e := range more {
			if !slices.Contains(all, e) {
				all = append(all, e)
			}
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all.sorted()
}

func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return e
}

// nearest returns the name that is spelt most like the given one, or that goes on where
// it ends, or "" if none is similar.
func nearest(name string, names []string) string {
	best, least := "", 1+max(1, len(name)/3)
	for _, n := range names {
		if e := spelling.Distance(strings.ToLower(name), n); e < least {
			best, least = n, e
		}
	}
	if i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, name+"_") }); best == "" && i >= 0 {
		return names[i]
	}
	return best
}
