package casbinrules

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/casbin/casbin/v2"
	casbinmodel "github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"

	"github.com/sallyport-go/sallyport/core"
)

// lineAdapter is a policy that Casbin parses itself.
type lineAdapter struct {
	persist.Adapter
	lines []string
}

func (a lineAdapter) LoadPolicy(m casbinmodel.Model) error {
	for _, line := range a.lines {
		if err := persist.LoadPolicyLine(line, m); err != nil {
			return err
		}
	}
	return nil
}

// oracle asks a fresh enforcer of Casbin's.
func (f family) oracle(t *testing.T, lines []string, p *core.Principal, access core.Access) (bool, []string) {
	t.Helper()
	ok, explain, err := f.enforcer(t, lines, p).EnforceEx(f.values(p, access)...)
	if err != nil {
		t.Fatalf("casbin: %v", err)
	}
	return ok, explain
}

// enforcer is one of Casbin's, to which the roles of the credentials have
// been added as g lines.
func (f family) enforcer(t *testing.T, lines []string, p *core.Principal) *casbin.Enforcer {
	t.Helper()
	text := f.text
	if f.casbins != "" {
		text = f.casbins
	}
	m, err := casbinmodel.NewModelFromString(text)
	if err != nil {
		t.Fatal(err)
	}
	e, err := casbin.NewEnforcer(m, lineAdapter{lines: lines})
	if err != nil {
		t.Fatal(err)
	}
	e.EnableAutoSave(false)
	addOracles(e)
	e.AddFunction("within", func(args ...any) (any, error) { return within(args[0].(string), args[1].(string)) })
	for role := range p.CredentialRoles() {
		link := []any{p.ID(), role, p.Tenant()}[:max(f.g, 2)]
		if f.g > 0 {
			if _, err := e.AddGroupingPolicy(link...); err != nil {
				t.Fatal(err)
			}
		}
	}
	return e
}

// within is the function of the families that have one.
func within(args ...string) (bool, error) { return strings.HasPrefix(args[0], args[1]), nil }

// addOracles adds functions by which Casbin can compare what is no number: each
// makes a number of a text by other means than the package does.
func addOracles(e *casbin.Enforcer) {
	add := func(name string, value func(text string) (any, error)) {
		e.AddFunction(name, func(args ...any) (any, error) { return value(args[0].(string)) })
	}
	add("num", func(text string) (any, error) { return strconv.ParseFloat(text, 64) })
	add("clock", func(text string) (any, error) {
		var h, m, s int
		if n, err := fmt.Sscanf(text, "%d:%d:%d", &h, &m, &s); n < 2 {
			return nil, err
		}
		return (time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second).Minutes(), nil
	})
	add("day", func(text string) (any, error) {
		var y, m, d int
		_, err := fmt.Sscanf(strings.TrimPrefix(text, "the "), "%d-%d-%d", &y, &m, &d)
		return float64(time.Date(y, time.Month(m), d, 12, 0, 0, 0, time.UTC).Unix()), err
	})
	add("host", func(text string) (any, error) {
		ip := net.ParseIP(text)
		if ip == nil {
			return nil, fmt.Errorf("%q is no address", text)
		}
		return string(ip.To16()), nil
	})
}
