package setup

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// clientCertificate is a certificate of ann, of the unit Staff, in PEM, and the
// authority that has signed it.
func clientCertificate(t *testing.T) (certificate, authority string) {
	t.Helper()
	now := time.Now()
	issue := func(template, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(now.UnixNano()), now.Add(-time.Hour), now.Add(time.Hour)
		if parent == nil {
			parent, signer = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		made, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return made, key
	}
	text := func(c *x509.Certificate) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	ca, key := issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	client, _ := issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: "ann", OrganizationalUnit: []string{"Staff"}}, DNSNames: []string{"erin"},
		EmailAddresses: []string{"erin@example.org"}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, ca, key)
	return text(client), text(ca)
}

// TestCertificateKeys: who a certificate is, which roles its unit gives, and the
// headers in which a proxy hands it on.
func TestCertificateKeys(t *testing.T) {
	t.Parallel()
	certificate, authority := clientCertificate(t)
	const file = "realm: reports\nproxies: {trusted: 192.0.2.1/32}\npolicy: {model: model.conf, files: policy.csv}\nclient_certificates: "
	staff := ", ca: own.pem, roles_of_units: {Staff: editor}"
	escaped := url.PathEscape(certificate)
	for name, c := range map[string]struct {
		section     string
		certificate string // the header that has it
		verify      string
		status      int
	}{
		"units":                   {"{identity: common_name, header: nginx" + staff + "}", "X-SSL-Client-Cert", "X-SSL-Client-Verify", 200},
		"without units":           {"{identity: common_name, header: nginx, ca: own.pem}", "X-SSL-Client-Cert", "X-SSL-Client-Verify", 403},
		"another unit":            {"{identity: common_name, header: nginx, ca: own.pem, roles_of_units: {Sales: editor}}", "X-SSL-Client-Cert", "X-SSL-Client-Verify", 403},
		"dns_name":                {"{identity: dns_name, header: nginx, ca: own.pem}", "X-SSL-Client-Cert", "X-SSL-Client-Verify", 200},
		"email":                   {"{identity: email, header: nginx" + staff + "}", "X-SSL-Client-Cert", "X-SSL-Client-Verify", 200},
		"uri, of which it has no": {"{identity: uri, header: nginx" + staff + "}", "X-SSL-Client-Cert", "X-SSL-Client-Verify", 401},
		"spiffe":                  {"{identity: spiffe, trust_domain: example.org, header: nginx" + staff + "}", "X-SSL-Client-Cert", "X-SSL-Client-Verify", 401},
		"no header":               {"{identity: common_name" + staff + "}", "X-SSL-Client-Cert", "X-SSL-Client-Verify", 401},
		"another authority":       {"{identity: common_name, header: nginx, ca: ca.pem, roles_of_units: {Staff: editor}}", "X-SSL-Client-Cert", "X-SSL-Client-Verify", 401},
		"other names":             {"{identity: common_name, header: nginx, nginx_certificate: X-Cert, nginx_verify: X-Verify" + staff + "}", "X-Cert", "X-Verify", 200},
		"the names by default":    {"{identity: common_name, header: nginx, nginx_certificate: X-Cert, nginx_verify: X-Verify" + staff + "}", "X-SSL-Client-Cert", "X-SSL-Client-Verify", 401},
		"proxy_verifies":          {"{identity: dns_name, header: client_cert, proxy_verifies: true}", "Client-Cert", "", 200},
		"client_cert and a CA":    {"{identity: dns_name, header: client_cert, ca: own.pem}", "Client-Cert", "", 200},
		"client_cert, another CA": {"{identity: dns_name, header: client_cert, ca: ca.pem}", "Client-Cert", "", 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := configFile(t, file+c.section+"\n")
			write(t, filepath.Join(filepath.Dir(path), "own.pem"), authority)
			fields := []string{c.certificate, escaped}
			if c.verify != "" {
				fields = append(fields, c.verify, "SUCCESS")
			} else {
				block, _ := pem.Decode([]byte(certificate))
				fields[1] = fmt.Sprintf(":%s:", base64.StdEncoding.EncodeToString(block.Bytes))
			}
			wants(t, openPath(t, path).Guard(), c.status, "GET", "/reports", fields...)
		})
	}
}

var nonceField, opaqueField = regexp.MustCompile(`\bnonce="([^"]+)"`), regexp.MustCompile(`opaque="([^"]+)"`)

// TestNonceKeys: with the same key another process takes a nonce.
func TestNonceKeys(t *testing.T) {
	t.Parallel()
	const file = "realm: reports\ndigest: {htdigest: users.htdigest%s}\npolicy: {model: model.conf, files: policy.csv}\n"
	for keys, want := range map[[2]string]int{
		{", nonce_key: {file: names.key}", ", nonce_key: {file: names.key}"}: 200,
		{", nonce_key: {file: names.key}", ", nonce_key: {file: old.key}"}:   401,
		{"", ""}: 401,
	} {
		first, second := open(t, fmt.Sprintf(file, keys[0])), open(t, fmt.Sprintf(file, keys[1]))
		asks := wants(t, first.Guard(), 401, "GET", "/reports").Header.Get("WWW-Authenticate")
		nonce, opaque := nonceField.FindStringSubmatch(asks), opaqueField.FindStringSubmatch(asks)
		if nonce == nil || opaque == nil {
			t.Fatalf("no nonce in %s", asks)
		}
		answer := digest.SHA256.Response("b86890c60a91e06fda20ba27d6f8d2108a46b06f87343303db3982e4ebee1ec1",
			digest.Input{Method: "GET", URI: "/reports", Nonce: nonce[1], Count: "00000001", ClientNonce: "c"})
		wants(t, second.Guard(), want, "GET", "/reports", "Authorization", fmt.Sprintf(
			`Digest username="erin", realm="reports", nonce="%s", uri="/reports", algorithm=SHA-256, qop=auth, nc=00000001, cnonce="c", opaque="%s", response="%s"`, nonce[1], opaque[1], answer))
	}
}

// proofKey is that of a client with bound tokens.
var proofKey = ed25519.NewKeyFromSeed([]byte(strings.Repeat("p", ed25519.SeedSize)))

// bound is a token of erin's that is bound to proofKey, and a proof for it with
// claims beside the usual ones or in their place (RFC 9449 §4.2).
func bound(t *testing.T, claims map[string]any) []string {
	t.Helper()
	x := encode(proofKey.Public().(ed25519.PublicKey))
	thumbprint := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`))
	access := token(t, "erin", map[string]any{"cnf": map[string]any{"jkt": encode(thumbprint[:])}})
	hash := sha256.Sum256([]byte(access))
	all := map[string]any{
		"jti": rand.Text(), "htm": "GET", "htu": "https://api.example/reports", "iat": time.Now().Unix(), "ath": encode(hash[:]),
	}
	maps.Copy(all, claims)
	body, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	signed := encode([]byte(`{"typ":"dpop+jwt","alg":"EdDSA","jwk":{"kty":"OKP","crv":"Ed25519","x":"`+x+`"}}`)) + "." + encode(body)
	return []string{"Authorization", "DPoP " + access, "DPoP", signed + "." + encode(ed25519.Sign(proofKey, []byte(signed)))}
}

// TestProofKeys: how old a proof may be, and whether it needs a nonce.
func TestProofKeys(t *testing.T) {
	t.Parallel()
	guard := func(keys string) *core.Guard {
		return open(t, minimal+"dpop: {address: 'https://api.example'"+keys+"}\n").Guard()
	}
	old := map[string]any{"iat": time.Now().Add(-5 * time.Minute).Unix()}
	early := map[string]any{"iat": time.Now().Add(2 * time.Minute).Unix()}
	for _, c := range []struct {
		keys   string
		claims map[string]any
		status int
	}{
		{"", nil, 200},
		{"", old, 401},
		{", proof_age: 9m", old, 200},
		{"", early, 401},
		{", leeway: 5m", early, 200},
		{", algorithms: ES256", nil, 401},
	} {
		wants(t, guard(c.keys), c.status, "GET", "/reports", bound(t, c.claims)...)
	}
	const before, after = ", nonce_key: {file: old.key}", ", nonce_key: {file: names.key}"
	nonce := wants(t, guard(before), 401, "GET", "/reports", bound(t, nil)...).Header.Get("DPoP-Nonce")
	if nonce == "" {
		t.Error("no nonce is given out")
	}
	for keys, want := range map[string]int{before: 200, after: 401, after + ", previous_nonce_keys: [{file: old.key}]": 200} {
		wants(t, guard(keys), want, "GET", "/reports", bound(t, map[string]any{"nonce": nonce})...)
	}
}

// TestIntrospectionKeys: how long an answer is kept and waited for.
func TestIntrospectionKeys(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.PostFormValue("token") == "slow" {
			<-r.Context().Done() // until the client gives up
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"active":true,"sub":"erin"}`) // the client has gone
	}))
	t.Cleanup(issuer.Close)
	guard := func(keys string) *core.Guard {
		return open(t, "realm: reports\nbearer:\n  introspection: {endpoint: "+issuer.URL+", client: reports, secret: {file: names.key}, any_audience: true"+keys+
			"}\npolicy: {model: model.conf, files: policy.csv}\nanswers: {retry_after: 7s}\n").Guard()
	}
	for keys, want := range map[string]int64{"": 1, ", cache_ttl: 0s": 2, ", cache_ttl: 1m": 1} {
		g, before := guard(keys), asked.Load()
		for range 2 {
			wants(t, g, 200, "GET", "/reports", bearerOf("opaque")...)
		}
		if got := asked.Load() - before; got != want {
			t.Errorf("introspection%s: the issuer was asked %d times, want %d", keys, got, want)
		}
	}
	got := wants(t, guard(", timeout: 50ms"), 503, "GET", "/reports", bearerOf("slow")...)
	if got.Header.Get("Retry-After") != "7" {
		t.Errorf("Retry-After %q, want that of retry_after", got.Header.Get("Retry-After"))
	}
}

// TestIntrospectionEnds: no connection to the issuer outlives the setup.
func TestIntrospectionEnds(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{}, 1)
	issuer := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"active":true,"sub":"erin"}`) // the client has gone
	}))
	issuer.Config.ConnState = func(_ net.Conn, to http.ConnState) {
		if to == http.StateClosed {
			closed <- struct{}{}
		}
	}
	issuer.Start()
	t.Cleanup(issuer.Close)
	s, err := Open(configFile(t, "realm: reports\nbearer: {introspection: {endpoint: "+issuer.URL+", client: reports, secret: {file: names.key}, any_audience: true}}\n"+
		"policy: {model: model.conf, files: policy.csv}\n"), quiet())
	if err != nil {
		t.Fatal(err)
	}
	wants(t, s.Guard(), 200, "GET", "/reports", bearerOf("opaque")...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-closed:
	case <-time.After(authtest.TimeLimit(10 * time.Second)):
		t.Error("the connection is still open")
	}
}

// TestCookieKeys: what the cookie of a session is like.
func TestCookieKeys(t *testing.T) {
	t.Parallel()
	for keys, want := range map[string]string{
		"cookie: sid":                       "__Host-sid=",
		"strict_same_site: true":            "SameSite=Strict",
		"strict_same_site: false":           "SameSite=Lax",
		"persistent_cookie: true":           `Max-Age=4[0-3]\d{3};`,
		"plain_http_for_development: true":  "session=",
		"{}":                                "__Host-session=",
		"persistent_cookie: true, absolute": `Max-Age=3[3-6]\d{2};`,
	} {
		section := "{" + strings.Replace(keys, ", absolute", ", absolute_timeout: 1h, idle_timeout: 10m", 1) + "}"
		if keys == "{}" {
			section = keys
		}
		s := open(t, "realm: reports\nsession: "+section+"\npolicy: {model: model.conf, files: policy.csv}\n")
		erin, err := core.NewPrincipal(core.PrincipalInfo{ID: "erin"})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("POST", "http://localhost/login", nil)
		fields, err := s.Sessions().Login(t.Context(), httpauth.Request(r), erin)
		if err != nil {
			t.Fatal(err)
		}
		var cookie string
		for _, f := range fields {
			if f.Name == "Set-Cookie" {
				cookie = f.Value
			}
		}
		if !regexp.MustCompile(want).MatchString(cookie) { // a part of a second has gone by
			t.Errorf("session: %s: %s, want %s", section, cookie, want)
		}
	}
}
