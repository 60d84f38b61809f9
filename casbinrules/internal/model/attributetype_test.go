package model

import (
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestValuesReadAsTheirTypeOrNot(t *testing.T) {
	for _, c := range []struct {
		kind AttributeType
		good map[string]string // by spelling, the one spelling of the value
		bad  []string
	}{
		{Text, map[string]string{"": "", " a ": " a ", "9": "9"}, nil},
		{Number, map[string]string{
			"0": "0", "9": "9", "9.0": "9", "-0": "0", "-0.0": "0", "0.10": "0.1", "-3.5": "-3.5", "100": "100",
			"123456789012345": "123456789012345", "9007199254740991": "9007199254740991", "-9007199254740991.00": "-9007199254740991",
			"0.000000123456789012345": "0.000000123456789012345",
		}, []string{
			"", " ", "nine", "+9", " 9", "9 ", "9\n", "09", "00", "-09", "-", "--9", ".5", "5.", "1.2.3", "1e3", "1E3", "0x1F", "1_000", "1,000",
			"NaN", "nan", "Inf", "-Inf", "infinity", "٣", "９", "−9", "9\x00", "9007199254740992", "9007199254740993", "0.1234567890123456",
			"1234567890123456.5", strings.Repeat("9", 400), "0." + strings.Repeat("0", 400) + "1", "1" + strings.Repeat("0", 63),
		}},
		{TimeOfDay, map[string]string{"00:00": "00:00:00", "08:30": "08:30:00", "23:59:59": "23:59:59", "24:00": "24:00:00", "24:00:00": "24:00:00"},
			[]string{"", "8:30", "08:60", "08:30:60", "24:00:01", "24:01", "25:00", "99:99", "08:30Z", "08:30+01:00", "08:30 PM", "08:30:00.5", " 08:30", "0830", "08-30", "08:3a", "٠٨:30"}},
		{Date, map[string]string{"2026-01-31": "2026-01-31", "2024-02-29": "2024-02-29", "0001-01-01": "0001-01-01"},
			[]string{"", "2026-02-29", "2026-13-01", "2026-00-10", "2026-1-31", "26-01-31", "2026/01/31", "20260131", "2026-01-31T00:00:00Z", " 2026-01-31", "+2026-01-31", "12026-01-31"}},
		{IPAddress, map[string]string{"10.0.0.1": "10.0.0.1", "::ffff:10.0.0.1": "10.0.0.1", "2001:DB8:0::1": "2001:db8::1", "::1": "::1"},
			[]string{"", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1:80", "[::1]", "fe80::1%eth0", "10.0.0.0/8", "localhost", " ::1", "1.2.3.4.5"}},
	} {
		for text, want := range c.good {
			if v, ok := ParseValue(c.kind, text); !ok || v.Text != want {
				t.Errorf("%s %q: %q, %v", c.kind, text, v.Text, ok)
			}
		}
		for _, text := range c.bad {
			if v, ok := ParseValue(c.kind, text); ok {
				t.Errorf("%s %q reads as %q", c.kind, text, v.Text)
			}
		}
	}
}

// FuzzTypedValues: two spellings are equal, or ordered, exactly when their values are.
func FuzzTypedValues(f *testing.F) {
	for _, s := range []string{"9", "9.0", "-0", "10", "9007199254740991", "0.1", "08:00", "08:00:00", "24:00", "2026-01-31", "::1", "::ffff:1.2.3.4", "1e3", "", "NaN"} {
		f.Add(s, "18")
		f.Add("9", s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for kind := Number; kind <= IPAddress; kind++ {
			x, ok := ParseValue(kind, a)
			if !ok {
				continue
			}
			if again, ok := ParseValue(kind, x.Text); !ok || again != x {
				t.Fatalf("%s %q is spelt %q, which reads as %+v, %v", kind, a, x.Text, again, ok)
			}
			y, ok := ParseValue(kind, b)
			if !ok {
				continue
			}
			want := exactly(t, kind, a, b)
			if (x.Text == y.Text) != (want == 0) {
				t.Fatalf("%s: %q and %q equal: %v", kind, a, b, x.Text == y.Text)
			}
			if IsOrdered(kind) && (x.Order < y.Order) != (want < 0) {
				t.Fatalf("%s: %q less than %q: %v", kind, a, b, x.Order < y.Order)
			}
		}
	})
}

// exactly compares two values by other means than the package does.
func exactly(t *testing.T, kind AttributeType, a, b string) int {
	t.Helper()
	switch kind {
	case Number:
		x, okA := new(big.Rat).SetString(a)
		y, okB := new(big.Rat).SetString(b)
		if !okA || !okB {
			t.Fatalf("%q or %q is no number", a, b)
		}
		return x.Cmp(y)
	case TimeOfDay:
		seconds := func(s string) (n int) {
			scale := 3600
			for part := range strings.SplitSeq(s, ":") {
				var v int
				if _, err := fmt.Sscanf(part, "%d", &v); err != nil {
					t.Fatalf("%q: %v", s, err)
				}
				n, scale = n+v*scale, scale/60
			}
			return n
		}
		return seconds(a) - seconds(b)
	case Date:
		day := func(s string) time.Time {
			var y, m, d int
			if _, err := fmt.Sscanf(s, "%4d-%2d-%2d", &y, &m, &d); err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
		}
		return day(a).Compare(day(b))
	default:
		if net.ParseIP(a).Equal(net.ParseIP(b)) {
			return 0
		}
		return netip.MustParseAddr(a).Compare(netip.MustParseAddr(b))
	}
}
