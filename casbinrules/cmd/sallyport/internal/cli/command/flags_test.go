package command

import (
	"testing"
	"time"
)

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	at := func(text string) time.Time {
		if text == "" {
			return time.Time{}
		}
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for text, want := range map[string]string{
		"": "", "90d": "2027-01-30T12:00:00Z", "1d": "2026-11-02T12:00:00Z", "12h30m": "2026-11-02T00:30:00Z",
		"2026-11-01": "2026-11-02T00:00:00Z", "2027-01-31": "2027-02-01T00:00:00Z", "2027-01-31T10:00:00+01:00": "2027-01-31T09:00:00Z",
	} {
		if got, err := Expiry(text, now); err != nil || !got.Equal(at(want)) {
			t.Errorf("%q: %v, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{
		"d", "1", "1.5d", "1h2d", "-1d", "0d", "-5m", "0s", "99999d", "99999999999d", "1y", "2026-10-31", "2026-11-31", "2026-11-01T12:00:00Z", "tomorrow",
	} {
		if got, err := Expiry(text, now); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
