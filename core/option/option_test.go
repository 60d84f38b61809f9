package option_test

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/core/option"
)

type setting func(*[]string) error

func name(s string) setting {
	return func(to *[]string) error {
		*to = append(*to, s)
		return nil
	}
}

// TestApply applies options in order, up to the first that cannot be.
func TestApply(t *testing.T) {
	broken := errors.New("broken")
	refuse := func(*[]string) error { return broken }
	for _, tt := range []struct {
		what    string
		options []setting
		want    []string
		err     string
	}{
		{"none", nil, nil, ""},
		{"in order", []setting{name("a"), name("b"), name("a")}, []string{"a", "b", "a"}, ""},
		{"an error", []setting{name("a"), refuse, name("b")}, []string{"a"}, "broken"},
		{"nil", []setting{name("a"), nil, refuse}, []string{"a"}, "option 2 is nil"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			var got []string
			err := option.Apply(&got, tt.options)
			if !slices.Equal(got, tt.want) {
				t.Errorf("applied %q, want %q", got, tt.want)
			}
			if (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
	if err := option.Apply(new([]string), []setting{refuse}); err != broken {
		t.Errorf("error %v, want the option's own", err)
	}
}

// TestSetOnce keeps the first value.
func TestSetOnce(t *testing.T) {
	var (
		text string
		read func() int
	)
	if err := option.SetOnce(&read, nil, "reader"); err == nil || err.Error() != "reader is nil" {
		t.Errorf("no function: error %v", err)
	}
	for i, want := range []string{"text is empty", "", "text is given twice"} {
		err := option.SetOnce(&text, []string{"", "first", "second"}[i], "text")
		if (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if text != "first" {
		t.Errorf("%q is set", text)
	}
}

// TestSet refuses what is no value, and leaves the field as it was.
func TestSet(t *testing.T) {
	var (
		number = new(int)
		text   = "before"
		read   func() int
		name   fmt.Stringer
		table  map[string]int
	)
	for what, err := range map[string]error{
		"a pointer":   option.Set(&number, nil, "none"),
		"a text":      option.Set(&text, "", "none"),
		"a function":  option.Set(&read, nil, "none"),
		"a map":       option.Set(&table, nil, "none"),
		"a nil":       option.Set(&name, nil, "none"),
		"a typed nil": option.Set(&name, fmt.Stringer((*big.Int)(nil)), "none"),
	} {
		if err == nil || err.Error() != "none" {
			t.Errorf("%s that is none: error %v", what, err)
		}
	}
	if number == nil || text != "before" || name != nil {
		t.Errorf("%v, %q, %v: changed by what is none", number, text, name)
	}
	if err := option.Set(&text, "after", "none"); err != nil || text != "after" {
		t.Errorf("%q, %v", text, err)
	}
	if err := option.Set(&name, fmt.Stringer(big.NewInt(7)), "none"); err != nil || name.String() != "7" {
		t.Errorf("%v, %v", name, err)
	}
}

// TestSetUnless sets what is within its limits alone.
func TestSetUnless(t *testing.T) {
	size := 7
	if err := option.SetUnless(&size, 0, true, "size %d: must be at least %d", 0, 1); err == nil || err.Error() != "size 0: must be at least 1" {
		t.Errorf("error %v", err)
	}
	if size != 7 {
		t.Errorf("%d: changed by what is invalid", size)
	}
	broken := errors.New("broken")
	if err := option.SetUnless(&size, 0, true, "size: %w", broken); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v in it", err, broken)
	}
	if err := option.SetUnless(&size, 8, false, "size"); err != nil || size != 8 {
		t.Errorf("%d, %v", size, err)
	}
}

// TestOn turns a setting on, however often.
func TestOn(t *testing.T) {
	var on bool
	for range 2 {
		if err := option.On(&on); err != nil || !on {
			t.Errorf("%v, %v", on, err)
		}
	}
}
