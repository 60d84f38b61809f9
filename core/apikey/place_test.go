package apikey

import (
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// F03: one place, and a second key anywhere else is ambiguous.
func TestPlaces(t *testing.T) {
	key, k := made(t, nil)
	other, o := made(t, nil)
	store := storeOf(k, o)
	header := func(lines ...string) *request {
		r := &request{header: map[string][]string{}}
		for _, l := range lines {
			name, value, _ := strings.Cut(l, ": ")
			r.header[name] = append(r.header[name], value)
		}
		return r
	}
	query := func(r *request, name string, values ...string) *request {
		r.query = map[string][]string{name: values}
		return r
	}
	custom, auth, inQuery := WithHeader("X-Acme-Key"), WithAuthorizationScheme("Acme"), WithQueryParameter("key")
	for _, c := range []struct {
		name  string
		place Option
		r     *request
		want  error // nil for success
	}{
		{"default header", nil, header("X-API-Key: " + key), nil},
		{"default header with other credentials", nil, query(header("X-API-Key: "+key, "Authorization: Bearer x"), "api_key", "x"), nil},
		{"default header twice", nil, header("X-API-Key: "+key, "X-API-Key: "+key), core.ErrAmbiguousCredentials},
		{"default header twice, one empty", nil, header("X-API-Key: ", "X-API-Key: "+key), core.ErrAmbiguousCredentials},
		{"header and the same key in the query", nil, query(header("X-API-Key: "+key), "api_key", key), core.ErrAmbiguousCredentials},
		{"header, and a key in the query behind another value", nil, query(header("X-API-Key: "+key), "api_key", "x", other), core.ErrAmbiguousCredentials},
		{"header and Authorization", nil, header("X-API-Key: "+key, "Authorization: ApiKey "+other), core.ErrAmbiguousCredentials},
		{"header and Authorization of another scheme", nil, header("X-API-Key: "+key, "Authorization: Bearer "+key), core.ErrAmbiguousCredentials},
		{"query alone", nil, query(header(), "api_key", key), core.ErrNoCredentials},
		{"Authorization alone", nil, header("Authorization: ApiKey " + key), core.ErrNoCredentials},
		{"custom header", custom, header("X-Acme-Key: " + key), nil},
		{"default header in place of the custom one", custom, header("X-API-Key: " + key), core.ErrNoCredentials},
		{"custom and default header", custom, header("X-Acme-Key: "+key, "X-API-Key: "+other), core.ErrAmbiguousCredentials},
		{"Authorization", auth, header("Authorization: Acme " + key), nil},
		{"A10 Authorization, scheme in capitals", auth, header("Authorization: ACME  " + key), nil},
		{"Authorization with another scheme", auth, header("Authorization: Bearer " + key), core.ErrNoCredentials},
		{"Authorization twice", auth, header("Authorization: Acme "+key, "Authorization: x"), core.ErrAmbiguousCredentials},
		{"Authorization and header", auth, header("Authorization: Acme "+key, "X-API-Key: "+key), core.ErrAmbiguousCredentials},
		{"Authorization, and a key in the header behind another value", auth, header("Authorization: Acme "+key, "X-API-Key: ", "X-API-Key: "+other), core.ErrAmbiguousCredentials},
		{"no Authorization", auth, header("X-API-Key: " + key), core.ErrNoCredentials},
		{"query", inQuery, query(header(), "key", key), nil},
		{"query twice", inQuery, query(header(), "key", key, key), core.ErrAmbiguousCredentials},
		{"query and header", inQuery, query(header("X-API-Key: "+key), "key", key), core.ErrAmbiguousCredentials},
		{"header where the query is the place", inQuery, header("X-API-Key: " + key), core.ErrNoCredentials},
	} {
		t.Run(c.name, func(t *testing.T) {
			var opts []Option
			if c.place != nil {
				opts = append(opts, c.place)
			}
			a := mustNew(t, store, opts...)
			p, err := a.Authenticate(t.Context(), c.r)
			if !errors.Is(err, c.want) || (err == nil) != (p != nil) {
				t.Errorf("%v, %v; want %v", p, err, c.want)
			}
			if n := len(a.Challenges(c.r, err)); err != nil && (n == 1) != (c.want == core.ErrNoCredentials) {
				t.Errorf("%d challenges", n)
			}
			if err != nil && strings.Contains(err.Error(), key) {
				t.Errorf("the error tells the key: %v", err)
			}
		})
	}
	for _, field := range []string{"Acme", "Acme\t" + key, "Acme " + key + " x"} {
		a, r := mustNew(t, store, auth), header("Authorization: "+field)
		_, err := a.Authenticate(t.Context(), r)
		wantRefusal(t, a, r, err, core.ReasonMalformed)
	}
}

func TestChallengeSaysThePlace(t *testing.T) {
	for _, c := range []struct {
		opt                     Option
		challenge, scheme, vary string
	}{
		{nil, `ApiKey realm="a \"b\"", header="X-API-Key"`, "ApiKey", "X-API-Key"},
		{WithHeader("X-Acme-Key"), `ApiKey realm="a \"b\"", header="X-Acme-Key"`, "ApiKey", "X-Acme-Key"},
		{WithAuthorizationScheme("Acme"), `Acme realm="a \"b\""`, "Acme", "Authorization"},
		{WithQueryParameter("key"), `ApiKey realm="a \"b\"", query="key"`, "ApiKey", ""},
	} {
		var opts []Option
		if c.opt != nil {
			opts = append(opts, c.opt)
		}
		a, err := New(`a "b"`, storeOf(), opts...)
		if err != nil {
			t.Fatal(err)
		}
		cs := a.Challenges(&request{}, core.ErrNoCredentials)
		s := a.Scheme()
		if len(cs) != 1 || cs[0].String() != c.challenge || s.Name != c.scheme || strings.Join(s.Vary, " ") != c.vary {
			t.Errorf("%s, scheme %s, vary %s; want %+v", cs, s.Name, s.Vary, c)
		}
	}
}
