package casbinrules

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AttributeType is what the values of an attribute are, and how a matcher may
// compare them. Whatever does not read as the type exactly is not a value of it.
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

// attributeTypes are the names of the types, in their order.
var attributeTypes = [...]string{"text", "number", "time", "date", "ip"}

// String is the name of the type, as [ParseAttribute] takes it: "text",
// "number", "time", "date" or "ip".
func (t AttributeType) String() string {
	if int(t) < len(attributeTypes) {
		return attributeTypes[t]
	}
	return "attribute type " + strconv.Itoa(int(t))
}

// described is the type in a sentence, with its form.
func (t AttributeType) described() string {
	return [...]string{
		"a text", "a number such as 18 or 0.5", "a time of day as HH:MM or HH:MM:SS", "a date as YYYY-MM-DD", "an IP address",
	}[t]
}

// ParseAttribute reads what a command line or a configuration says about an
// attribute, such as "age=number": the field of the request definition, and its
// type for [WithAttributeType].
func ParseAttribute(s string) (field string, t AttributeType, err error) {
	field, name, ok := strings.Cut(s, "=")
	i := slices.Index(attributeTypes[:], name)
	switch {
	case !ok:
		return "", Text, fmt.Errorf("attribute %q: write FIELD=TYPE, such as age=number", s)
	case i < 0:
		return "", Text, fmt.Errorf("attribute %q: there is no type %q: use one of %s", s, name, strings.Join(attributeTypes[:], ", "))
	}
	if err := checkTypedField(field); err != nil {
		return "", Text, err
	}
	return field, AttributeType(i), nil
}

// WithAttributeType declares the type of an attribute, of which the value comes
// from an [WithAttribute] or [WithClaimAttribute] of the same field:
//
//	casbinrules.WithClaimAttribute("age", "age"),
//	casbinrules.WithAttributeType("age", casbinrules.Number),
//
// Without it an attribute is a text, and a matcher that asks whether it is less
// or more than something is refused. With it the matcher may compare the
// attribute with other attributes of the type, with literals, as in r.age >= 18
// or r.time < "17:30", and with fields of the policy, as in r.age >= p.min. Such
// a field of the policy takes the type, and a rule with anything else there is
// an error with its file, line and column when the policy is loaded.
//
// A request whose value does not read as the type is refused with
// [ReasonBadAttribute], whatever the policy says.
//
// A type declared for a field that the model does not have refuses the model.
func WithAttributeType(field string, t AttributeType) Option {
	return func(c *config) error {
		if err := checkTypedField(field); err != nil {
			return err
		}
		if int(t) >= len(attributeTypes) {
			return fmt.Errorf("attribute %s: there is no such type: %s", field, t)
		}
		if _, twice := c.attributeTypes[field]; twice {
			return fmt.Errorf("attribute %s: the type is declared twice", field)
		}
		if c.attributeTypes == nil {
			c.attributeTypes = map[string]AttributeType{}
		}
		c.attributeTypes[field] = t
		return nil
	}
}

func checkTypedField(field string) error {
	if !isWord(field) {
		return fmt.Errorf("attribute: %q is not the name of a request field", field)
	}
	if _, taken := requestFields[field]; taken {
		return fmt.Errorf("attribute %s: the request field %s is always a text", field, field)
	}
	return nil
}

// typedValue is a value that has been read as its type.
type typedValue struct {
	// text is the one spelling of the value.
	text string
	// order is what it is compared by, for types that have an order.
	order float64
}

// ordered reports whether values of the type are more or less than others.
func (t AttributeType) ordered() bool { return t == Number || t == TimeOfDay || t == Date }

// maxTyped is how long a value of a type other than Text can be, in bytes.
const maxTyped = 64

// read is text as a value of the type.
func (t AttributeType) read(text string) (v typedValue, ok bool) {
	if t == Text {
		return typedValue{text: text}, true
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
		return typedValue{text, float64(day.Unix()/secondsOfDay) + daysToEpoch}, err == nil
	case IPAddress:
		address, err := netip.ParseAddr(text)
		return typedValue{text: address.Unmap().String()}, err == nil && address.Zone() == ""
	default:
		return v, false
	}
}

const secondsOfDay = 24 * 60 * 60

// daysToEpoch is how many days 1970-01-01 is behind 0000-01-01, the first date
// there is. No date is less than 0.
const daysToEpoch = 719528

// maxDigits is how many significant digits set any two decimal numbers apart as
// float64 (IEEE 754 binary64), maxWhole below what every two whole numbers are.
const (
	maxDigits = 15
	maxWhole  = 1 << 53
)

func readNumber(text string) (v typedValue, ok bool) {
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
		n = 0 // without a sign
	}
	return typedValue{strconv.FormatFloat(n, 'f', -1, 64), n}, true
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

func readTimeOfDay(text string) (v typedValue, ok bool) {
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
	return typedValue{text, two(0)*3600 + two(3)*60 + two(6)}, true
}
