package errlog

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

// TestChanges: an outage is a few lines, however long it lasts and however often its errors
// take turns, and none hides another.
func TestChanges(t *testing.T) {
	var told []string
	changed := Changes(func(err error) { told = append(told, fmt.Sprint(err)) })
	outage := func() {
		for i := range 100 {
			changed(fmt.Errorf("read tcp 127.0.0.1:%d->127.0.0.1:6379: i/o timeout", 40000+i))
			changed(errors.New("EOF"))
		}
	}
	changed(nil)
	outage()
	changed(errors.New("revision 7: line 3"))
	outage()
	changed(nil)
	changed(nil)
	changed(errors.New("EOF"))
	want := []string{"read tcp 127.0.0.1:40000->127.0.0.1:6379: i/o timeout", "EOF", "revision 7: line 3", "<nil>", "EOF"}
	if !slices.Equal(told, want) {
		t.Errorf("told %q", told)
	}
	told = nil
	for i := range 1000 {
		changed(fmt.Errorf("error %d", i))
	}
	changed(nil)
	if n := len(told); n != 1001 || told[n-1] != "<nil>" {
		t.Errorf("%d lines", n)
	}
}
