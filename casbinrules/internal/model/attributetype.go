package model

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// AttributeType is the type of an attribute's values, which determines how a
// matcher may compare them. A text that does not have the exact form of the type is
// not a value of it.
type AttributeType uint8

const (
	// Text is any text, compared by == and != byte by byte. It has no order.
	Text AttributeType = iota
	// Number is a decimal number such as 18, -3 or 0.25: digits without a
	// leading zero, at most one point with digits on both sides, and no plus
	// sign, exponent, blank or separator. Numbers are compared as Casbin compares
	// float64 values, so 9 equals 9.0. A number that float64 would take for
	// another one is not a value: it has at most 15 significant digits, or is a
	// whole number below 2^53.
	Number
	// TimeOfDay is a time on a 24-hour clock as HH:MM or HH:MM:SS, from 00:00 to
	// 24:00, the end of the day. It has no time zone: requests and rules must
	// mean the same one.
	TimeOfDay
	// Date is a day of the Gregorian calendar as YYYY-MM-DD (full-date of RFC
	// 3339 §5.6).
	Date
	// IPAddress is an IPv4 address in dotted decimal form or an IPv6 address (RFC
	// 4291 §2.2) without a zone. An IPv4-mapped IPv6 address is the IPv4 address.
	// Addresses are compared by ==, != and ipMatch, and have no order.
	IPAddress
)

// AttributeTypes are the names of the types, in their order.
var AttributeTypes = [...]string{"text", "number", "time", "date", "ip"}

// String returns the name of the type, as casbinrules.ParseAttribute accepts it:
// "text", "number", "time", "date" or "ip".
func (t AttributeType) String() string {
	if int(t) < len(AttributeTypes) {
		return AttributeTypes[t]
	}
	return "attribute type " + strconv.Itoa(int(t))
}

// DescribeType describes the type and its form.
func DescribeType(t AttributeType) string {
	return [...]string{
		"a text", "a number such as 18 or 0.5", "a time of day as HH:MM or HH:MM:SS", "a date as YYYY-MM-DD", "an IP address",
	}[t]
}

func CheckTypedField(field string) error {
	if !IsWord(field) {
		return fmt.Errorf("attribute: %q is not the name of a request field", field)
	}
	if _, taken := RequestFields[field]; taken {
		return fmt.Errorf("attribute %s: the request field %s is always a text", field, field)
	}
	return nil
}

// Value is a parsed value.
type Value struct {
	// Text is the one spelling of the value.
	Text string
	// Order is the value by which it is compared, for types with an order.
	Order float64
}

// IsOrdered reports whether values of the type are more or less than others.
func IsOrdered(t AttributeType) bool { return t == Number || t == TimeOfDay || t == Date }

// maxTyped is the maximum length of a value of a type other than Text, in bytes.
const maxTyped = 64

// ParseValue parses text as a value of the type.
func ParseValue(t AttributeType, text string) (v Value, ok bool) {
	if t == Text {
		return Value{Text: text}, true
	}
	if len(text) > maxTyped {
		return v, false
	}
	switch t {
	case Number:
		return readNumber(text)
	case TimeOfDay:
		return readTimeOfDay(text)
	case Date:
		day, err := time.Parse(time.DateOnly, text)
		return Value{text, float64(day.Unix()/secondsOfDay) + daysToEpoch}, err == nil
	case IPAddress:
		address, err := netip.ParseAddr(text)
		return Value{Text: address.Unmap().String()}, err == nil && address.Zone() == ""
	default:
		return v, false
	}
}

const secondsOfDay = 24 * 60 * 60

// daysToEpoch is the number of days from 0000-01-01, the first date, to 1970-01-01.
// No date is less than 0.
const daysToEpoch = 719528

// maxDigits is the number of significant digits with which any two decimal numbers
// differ as float64 (IEEE 754 binary64), maxWhole the bound below which any two
// whole numbers do.
const (
	maxDigits = 15
	maxWhole  = 1 << 53
)

func readNumber(text string) (v Value, ok bool) {
	digits := strings.TrimPrefix(text, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if !isDigits(whole) || len(whole) > 1 && whole[0] == '0' || point && !isDigits(fraction) {
		return v, false
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return v, false
	}
	fraction = strings.TrimRight(fraction, "0")
	significant := len(strings.TrimLeft(whole+fraction, "0"))
	if significant > maxDigits && (fraction != "" || math.Abs(n) >= maxWhole) {
		return v, false
	}
	if n == 0 {
		n = 0 // drops the sign of -0
	}
	return Value{strconv.FormatFloat(n, 'f', -1, 64), n}, true
}

// isDigits reports whether s is one or more decimal digits of ASCII.
func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func readTimeOfDay(text string) (v Value, ok bool) {
	if len(text) == len("15:04") {
		text += ":00"
	}
	if len(text) != len(time.TimeOnly) || text[2] != ':' || text[5] != ':' ||
		!isDigits(text[:2]) || !isDigits(text[3:5]) || !isDigits(text[6:]) {
		return v, false
	}
	if text > "23:59:59" && text != "24:00:00" || text[3] > '5' || text[6] > '5' {
		return v, false
	}
	two := func(at int) float64 { return float64(text[at]-'0')*10 + float64(text[at+1]-'0') }
	return Value{text, two(0)*3600 + two(3)*60 + two(6)}, true
}
