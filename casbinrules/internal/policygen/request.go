package policygen

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/core"
)

// AskedObjects are the paths of requests.
var AskedObjects = append([]string{"/a\n", "/a?x", "/b/b"}, PlainObjects...)

// principals are the IDs of principals.
var principals = []string{"u0", "u1", "u2", "root", "ghost", "c0"}

// Principal returns a random principal, with roles of credentials if the family has
// them.
func (f Family) Principal(rnd *rand.Rand) (*core.Principal, error) {
	var roles []string
	for range rnd.IntN(4) - 1 {
		if f.TokenRoles {
			roles = append(roles, Pick(rnd, append([]string{"r0", "r1", "r2", "r4", "c0", "c1", "x", "u1", "root"}, f.Names...)))
		}
	}
	claims := map[string]any{"region": Pick(rnd, []string{"eu", "us", ""})}
	for _, field := range f.Typed {
		if field.Values != nil {
			claims[field.Name] = Pick(rnd, field.Values)
		}
	}
	return core.NewPrincipal(core.PrincipalInfo{
		ID: Pick(rnd, principals), Roles: roles,
		Tenant: Pick(rnd, append([]string{"t1", "t2", "t3"}, f.Tenants...)), Claims: claims,
	})
}

// OwnerOf returns the random owner of an object, or "".
func (f Family) OwnerOf(rnd *rand.Rand) string { return Pick(rnd, append([]string{""}, principals...)) }

// Access returns a random request for one of AskedObjects.
func (f Family) Access(rnd *rand.Rand) core.Access {
	return core.Access{Action: Pick(rnd, PlainActions), Resource: core.Resource{Path: Pick(rnd, AskedObjects)}}
}

// Values returns the request fields in the order of the family's model.
func (f Family) Values(p *core.Principal, access core.Access) []any {
	values := []any{p.ID(), access.Resource.Path, access.Action}
	switch {
	case f.Roles == 3:
		values = slices.Insert(values, 1, any(p.Tenant()))
	case f.Name == "priority by field":
		slices.Reverse(values)
	}
	if f.Region {
		region, _ := p.Claim("region")
		values = append(values, region)
	}
	for _, field := range f.Typed {
		if field.Values != nil {
			text, _ := p.Claim(field.Name)
			values = append(values, field.oracleValue(text.(string)))
		}
	}
	return values
}

// Oracle returns the model that Casbin evaluates.
func (f Family) Oracle() string {
	if f.CasbinText != "" {
		return f.CasbinText
	}
	return f.Text
}

// Within is the function in the models of families with a function.
func Within(args ...string) (bool, error) { return strings.HasPrefix(args[0], args[1]), nil }

// Functions returns the functions for Casbin: Within, and some that convert texts to
// numbers so that Casbin can compare them. Their implementations are independent of
// casbinrules.
func Functions() map[string]govaluate.ExpressionFunction {
	functions := map[string]govaluate.ExpressionFunction{
		"within": func(args ...any) (any, error) { return Within(args[0].(string), args[1].(string)) },
	}
	add := func(name string, value func(text string) (any, error)) {
		functions[name] = func(args ...any) (any, error) { return value(args[0].(string)) }
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
			return nil, fmt.Errorf("%q is not an address", text)
		}
		return string(ip.To16()), nil
	})
	return functions
}
