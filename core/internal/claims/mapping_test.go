package claims

import (
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

func mapping(t *testing.T, set ...func(*Mapping) error) *Mapping {
	t.Helper()
	m := new(Mapping)
	for _, f := range set {
		if err := f(m); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func optionalSubject(m *Mapping) error { m.SubjectOptional = true; return nil }
func byEmail(m *Mapping) error         { return m.SetID("email") }
func asUsers(m *Mapping) error         { return m.ClientsAsUsers() }
func ownPrefix(m *Mapping) error       { return m.SetClientPrefix("m2m/") }

// B15: who a token names, by the claims it has. Columns are the ways to verify:
// JWT, introspection, and both with the claim email as the ID. "" is a refusal.
func TestWhoATokenNames(t *testing.T) {
	ways := []*Mapping{
		mapping(t), mapping(t, optionalSubject), mapping(t, byEmail), mapping(t, byEmail, optionalSubject),
	}
	for claims, want := range map[string][4]string{
		// users
		`{"sub":"alice"}`:                                                 {"alice", "alice", "", ""},
		`{"sub":"alice","client_id":"spa"}`:                               {"alice", "alice", "", ""},
		`{"sub":"u1","client_id":"spa","email":"a@b.example"}`:            {"u1", "u1", "a@b.example", "a@b.example"},
		`{"sub":"alice","azp":"spa"}`:                                     {"alice", "alice", "", ""},
		`{"sub":"u1","client_id":"spa","azp":"u1","email":"a@b.example"}`: {"u1", "u1", "a@b.example", "a@b.example"},
		// clients, whatever else their tokens hold
		`{"sub":"alice","client_id":"alice"}`:                      {"client:alice", "client:alice", "client:alice", "client:alice"},
		`{"sub":"alice","azp":"alice"}`:                            {"client:alice", "client:alice", "client:alice", "client:alice"},
		`{"sub":"alice","client_id":"","azp":"alice"}`:             {"client:alice", "client:alice", "client:alice", "client:alice"},
		`{"sub":"alice","cid":"alice"}`:                            {"client:alice", "client:alice", "client:alice", "client:alice"},
		`{"sub":"alice","appid":"alice"}`:                          {"client:alice", "client:alice", "client:alice", "client:alice"},
		`{"sub":"bot","client_id":"bot","email":"root@b.example"}`: {"client:bot", "client:bot", "client:bot", "client:bot"},
		`{"sub":"client:x","client_id":"client:x"}`:                {"client:client:x", "client:client:x", "client:client:x", "client:client:x"},
		`{"client_id":"bot"}`:                                      {"", "client:bot", "", "client:bot"},
		`{"sub":"","client_id":"bot"}`:                             {"", "client:bot", "", "client:bot"},
		`{"client_id":"bot","email":"a@b.example"}`:                {"", "client:bot", "a@b.example", "a@b.example"},
		// a user may choose a name, and not that of a client
		`{"sub":"client:alice"}`:                              {"", "", "", ""},
		`{"sub":"client:alice","client_id":"alice"}`:          {"", "", "", ""},
		`{"sub":"u1","client_id":"spa","email":"client:spa"}`: {"u1", "u1", "", ""},
		`{"sub":"u1","client_id":"spa","email":"spa"}`:        {"u1", "u1", "spa", "spa"},
		`{"client_id":"spa","email":"spa"}`:                   {"", "client:spa", "", ""},
		// nobody
		`{}`:                                    {},
		`{"email":""}`:                          {},
		`{"sub":"u1","email":""}`:               {"u1", "u1", "", ""},
		`{"sub":"u1","email":null}`:             {"u1", "u1", "", ""},
		`{"sub":"u1","email":["a@b.example"]}`:  {"u1", "u1", "", ""},
		`{"sub":"u1","email":"a\u0000"}`:        {"u1", "u1", "", ""},
		`{"sub":null,"client_id":"bot"}`:        {},
		`{"sub":7}`:                             {},
		`{"sub":"alice","client_id":["alice"]}`: {},
		`{"sub":"alice","azp":7}`:               {},
	} {
		for i, m := range ways {
			way := [...]string{"JWT", "introspection", "JWT by email", "introspection by email"}[i]
			if id, err := m.ID(set(t, claims)); id != want[i] && err == nil || (err != nil) != (want[i] == "") {
				t.Errorf("%s by %s: %q, %v, want %q", claims, way, id, err, want[i])
			}
		}
	}
}

func TestRulesForClients(t *testing.T) {
	const own, user = `{"sub":"alice","client_id":"alice"}`, `{"sub":"alice","client_id":"spa"}`
	for _, tt := range []struct {
		name   string
		m      *Mapping
		claims string
		want   string // "" is a refusal
	}{
		{"prefix, client", mapping(t, ownPrefix), own, "m2m/alice"},
		{"prefix, user", mapping(t, ownPrefix), user, "alice"},
		{"prefix, user named like one", mapping(t, ownPrefix), `{"sub":"m2m/alice"}`, ""},
		{"prefix, user named like another's", mapping(t, ownPrefix), `{"sub":"client:alice"}`, "client:alice"},
		{"refused, client", mapping(t, (*Mapping).RefuseClients), own, ""},
		{"refused, user", mapping(t, (*Mapping).RefuseClients), user, "alice"},
		{"refused, client without sub", mapping(t, (*Mapping).RefuseClients, optionalSubject), `{"client_id":"bot"}`, ""},
		{"as users, client", mapping(t, asUsers), own, "alice"},
		{"as users, user", mapping(t, asUsers), `{"sub":"client:alice"}`, "client:alice"},
		{"as users, without sub", mapping(t, asUsers, optionalSubject), `{"client_id":"bot"}`, "bot"},
		{"as users by email, client without", mapping(t, asUsers, optionalSubject, byEmail), own, ""},
		{"as users by email, without sub", mapping(t, asUsers, optionalSubject, byEmail), `{"client_id":"bot"}`, ""},
	} {
		if id, err := tt.m.ID(set(t, tt.claims)); id != tt.want && err == nil || (err != nil) != (tt.want == "") {
			t.Errorf("%s: %q, %v, want %q", tt.name, id, err, tt.want)
		}
	}
}

// Invariant 18: what a token is, by the typ of its header and its claims.
// "access" passes, "nonce" and "id" only with that option, "" never.
func TestWhatATokenIs(t *testing.T) {
	for _, tt := range []struct{ header, claims, want string }{
		{"", `{}`, "access"},
		{"JWT", `{}`, "access"},
		{"JOSE", `{}`, "access"},
		{"application/jwt", `{}`, "access"},
		{"at+jwt", `{}`, "access"},
		{"Application/AT+JWT", `{}`, "access"},
		{"logout+jwt", `{}`, ""},
		{"dpop+jwt", `{}`, ""},
		{"secevent+jwt", `{}`, ""},
		{"token-introspection+jwt", `{}`, ""},
		{"application/id_token+jwt", `{}`, ""},
		{"ID", `{}`, "id"},
		{"Refresh", `{}`, ""},
		{"JWT", `{"typ":"Bearer"}`, "access"},
		{"JWT", `{"typ":"JWT"}`, "access"},
		{"JWT", `{"typ":"ID"}`, "id"},
		{"JWT", `{"typ":"Refresh"}`, ""},
		{"JWT", `{"typ":"Offline"}`, ""},
		{"JWT", `{"typ":"Logout"}`, ""},
		{"at+jwt", `{"typ":"ID"}`, "id"},
		{"JWT", `{"token_use":"access"}`, "access"},
		{"JWT", `{"token_use":"id"}`, "id"},
		{"JWT", `{"token_use":"code"}`, ""},
		{"JWT", `{"token_type":"refresh"}`, ""},
		{"JWT", `{"token_type":"bearer"}`, "access"},
		{"JWT", `{"tokenName":"id_token"}`, "id"},
		{"JWT", `{"type":"refresh"}`, ""},
		{"JWT", `{"type":"invoice"}`, "access"},
		{"JWT", `{"type":7,"typ":null}`, "access"},
		{"JWT", `{"events":{"http://schemas.openid.net/event/backchannel-logout":{}}}`, ""},
		{"JWT", `{"events":["conference"]}`, "access"},
		{"JWT", `{"nonce":"n"}`, "nonce"},
		{"JWT", `{"nonce":null}`, "nonce"},
		{"at+jwt", `{"nonce":"n"}`, "access"},
		{"JWT", `{"nonce":"n","typ":"Bearer"}`, "access"},
		{"JWT", `{"nonce":"n","token_use":"access"}`, "access"},
		{"JWT", `{"at_hash":"h"}`, "id"},
		{"JWT", `{"c_hash":"h"}`, "id"},
		{"JWT", `{"s_hash":"h"}`, "id"},
		{"JWT", `{"at_hash":"h","typ":"Bearer"}`, "id"},
	} {
		nonce, id := new(Mapping), new(Mapping)
		nonce.AllowNonce()
		id.AllowIDTokens()
		for _, way := range []struct {
			name string
			m    *Mapping
			pass bool
		}{
			{"by default", new(Mapping), tt.want == "access"},
			{"with nonces", nonce, tt.want == "access" || tt.want == "nonce"},
			{"with ID tokens", id, tt.want != ""},
		} {
			access, err := way.m.CheckHeader(tt.header)
			if err == nil {
				err = way.m.CheckKind(set(t, tt.claims), access)
			}
			if (err == nil) != way.pass {
				t.Errorf("typ %s, claims %s %s: %v, want it to pass: %v", tt.header, tt.claims, way.name, err, way.pass)
			}
		}
	}
}

func TestRolesOfSeveralClaims(t *testing.T) {
	m := mapping(t, func(m *Mapping) error { return m.AddRoles("realm_access.roles") },
		func(m *Mapping) error { return m.AddRoles(`resource_access.reports\.api.roles`) },
		func(m *Mapping) error { return m.AddRoleKeys("urn:example:roles") })
	for claims, want := range map[string]string{ // "!" is an error
		`{}`: "",
		`{"realm_access":{"roles":["a"]},"resource_access":{"reports.api":{"roles":["b"]}},"urn:example:roles":{"d":{},"c":true}}`: "a,b,c,d",
		`{"resource_access":{"reports.api":{"roles":"b"}}}`:                                                                        "b",
		`{"realm_access":null,"urn:example:roles":{"c":{}}}`:                                                                       "c",
		`{"roles":["admin"]}`: "",
		`{"realm_access":{"roles":["a"]},"urn:example:roles":["c"]}`:                   "!",
		`{"realm_access":{"roles":7},"resource_access":{"reports.api":{"roles":"b"}}}`: "!",
	} {
		var info core.PrincipalInfo
		err := m.Fill(set(t, claims), &info)
		if slices.Sort(info.Roles); (err != nil) != (want == "!") || err == nil && strings.Join(info.Roles, ",") != want {
			t.Errorf("%s: %q, %v, want %s", claims, info.Roles, err, want)
		}
	}
}

// Tokens of other clients, and of none, are not for a service that names its
// clients.
func TestAuthorizedClients(t *testing.T) {
	named := mapping(t, func(m *Mapping) error { return m.AddAuthorizedClients([]string{"spa", "cli"}) },
		func(m *Mapping) error { return m.AddAuthorizedClients([]string{"cron"}) })
	for claims, good := range map[string]bool{
		`{"client_id":"spa"}`: true, `{"azp":"cli"}`: true, `{"cid":"cron"}`: true, `{"appid":"spa"}`: true,
		`{"client_id":"spa","azp":"other"}`: true, `{"client_id":"other","azp":"spa"}`: false,
		`{"client_id":""}`: false, `{"sub":"spa"}`: false, `{"aud":"spa"}`: false, `{"client_id":["spa"]}`: false, `{"client_id":"SPA"}`: false,
	} {
		if err := named.CheckClient(set(t, claims)); (err == nil) != good {
			t.Errorf("%s: %v", claims, err)
		}
		if err := mapping(t).CheckClient(set(t, claims)); err != nil {
			t.Errorf("%s, where no client is named: %v", claims, err)
		}
	}
	for _, clients := range [][]string{nil, {""}, {"spa", ""}} {
		if err := new(Mapping).AddAuthorizedClients(clients); err == nil {
			t.Errorf("%q was accepted", clients)
		}
	}
}
