package authclient

import (
	"math"
	"net/http"
	"testing"
	"time"
)

func FuzzRetryAfter(f *testing.F) {
	for _, text := range []string{"", "0", "120", " 5\t", "-1", "+1", "1.5", "1e3", "99999999999999999999", "9223372037", "9223372036",
		"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Fri, 31 Dec 9999 23:59:59 GMT", "soon"} {
		f.Add(text, "Sun, 06 Nov 1994 08:49:07 GMT")
		f.Add(text, "")
	}
	f.Fuzz(func(t *testing.T, text, date string) {
		now := func() time.Time { return time.Date(1994, 11, 6, 8, 49, 27, 0, time.UTC) }
		wait, ok := retryAfter(http.Header{"Retry-After": {text}, "Date": {date}}, now)
		if wait < 0 || !ok && wait != 0 {
			t.Errorf("%q: %v, %v", text, wait, ok)
		}
		if _, ok := retryAfter(http.Header{"Retry-After": {text, text}}, now); ok {
			t.Errorf("%q twice is accepted", text)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	now := func() time.Time { return time.Date(1994, 11, 6, 8, 49, 27, 0, time.UTC) }
	for _, c := range []struct {
		text, date string
		want       time.Duration
		ok         bool
	}{
		{"0", "", 0, true},
		{"120", "", 2 * time.Minute, true},
		{" 5 ", "", 5 * time.Second, true},
		{"9223372037", "", math.MaxInt64, true},
		{"99999999999999999999", "", math.MaxInt64, true},
		{"Sun, 06 Nov 1994 08:49:37 GMT", "", 10 * time.Second, true},
		{"Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:36 GMT", time.Second, true},
		{"Sun, 06 Nov 1994 08:49:37 GMT", "yesterday", 10 * time.Second, true},
		{"Sunday, 06-Nov-94 08:49:37 GMT", "", 10 * time.Second, true},
		{"Sun Nov  6 08:49:37 1994", "", 10 * time.Second, true},
		{"Sun, 06 Nov 1994 08:49:20 GMT", "", 0, true},
		{"Fri, 31 Dec 9999 23:59:59 GMT", "", math.MaxInt64, true},
		{"", "", 0, false},
		{"-1", "", 0, false},
		{"1.5", "", 0, false},
		{"soon", "", 0, false},
	} {
		wait, ok := retryAfter(http.Header{"Retry-After": {c.text}, "Date": {c.date}}, now)
		if wait != c.want || ok != c.ok {
			t.Errorf("%q at %q: %v, %v; want %v, %v", c.text, c.date, wait, ok, c.want, c.ok)
		}
	}
}
