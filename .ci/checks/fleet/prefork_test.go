//go:build linux

package fleet_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/source/redis/redistest"
)

// TestPrefork: the processes of a Fiber app with Prefork are as one for sessions, proofs,
// failures and answers of Digest in a shared store, and each by itself without one.
func TestPrefork(t *testing.T) {
	if testing.Short() {
		t.Skip("not run with -short: it starts six processes")
	}
	t.Parallel()
	redis := redistest.Start(t)
	for _, version := range []string{"v2", "v3"} {
		t.Run(version, func(t *testing.T) {
			p := preforked(t, preforkSettings{Version: version, Redis: redis.URL()})
			t.Run("sessions", p.sessions)
			t.Run("proofs", func(t *testing.T) { p.proofs(t, 1) })
			t.Run("failures", p.failures)
			t.Run("counts", func(t *testing.T) { p.counts(t, 1) })
		})
		t.Run(version+" without a store", func(t *testing.T) {
			p := preforked(t, preforkSettings{Version: version})
			p.proofs(t, 2)
			p.counts(t, 2)
		})
	}
}

// preforkedApp is an app of two processes.
type preforkedApp struct {
	address string
	key     *ecdsa.PrivateKey
	client  *http.Client
}

// preforked starts this program as the first process of an app, which starts others.
func preforked(t *testing.T, s preforkSettings) *preforkedApp {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s.Address, s.Thumbprint = "127.0.0.1:"+authtest.FreePort(t), thumbprint(t, key)
	s.Service = "prefork-" + s.Version
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), preforkVariable+"="+string(text), "GOMAXPROCS=2")
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // with all that it starts
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait() // says that it was killed
		if t.Failed() {
			t.Logf("the app said:\n%s", said.String())
		}
	})
	p := &preforkedApp{s.Address, key, &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true}, // each connection goes to any of the processes
		Timeout:   authtest.TimeLimit(time.Minute),
	}}
	limit := time.Now().Add(authtest.TimeLimit(time.Minute))
	for seen := map[string]bool{}; len(seen) < 2; {
		r, err := p.client.Get("http://" + p.address + "/process")
		if err == nil {
			_ = r.Body.Close()
			seen[r.Header.Get(processField)] = true
		}
		if time.Now().After(limit) {
			t.Fatalf("processes %v, %v", seen, err)
		}
	}
	return p
}

// ask sends a request, and returns the process that has answered.
func (p *preforkedApp) ask(t *testing.T, method, path, body string, fields ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	answer, err := p.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return answer, answer.Header.Get(processField)
}

// askAll sends a request ten times and more, until both processes have answered, and
// counts the statuses.
func (p *preforkedApp) askAll(t *testing.T, path string, fields ...string) map[int]int {
	t.Helper()
	statuses, processes := map[int]int{}, map[string]bool{}
	limit := time.Now().Add(authtest.TimeLimit(time.Minute))
	for n := 0; n < 10 || len(processes) < 2; n++ {
		answer, process := p.ask(t, "GET", path, "", fields...)
		statuses[answer.StatusCode]++
		processes[process] = true
		if time.Now().After(limit) {
			t.Fatalf("only %v have answered", processes)
		}
	}
	return statuses
}

func (p *preforkedApp) sessions(t *testing.T) {
	answer, _ := p.ask(t, "POST", "/login", `{"user":"alice","password":"right"}`, "Content-Type", "application/json")
	if answer.StatusCode != http.StatusNoContent || len(answer.Cookies()) != 1 {
		t.Fatalf("login: %d", answer.StatusCode)
	}
	cookie := answer.Cookies()[0].Name + "=" + answer.Cookies()[0].Value
	if got := p.askAll(t, "/session", "Cookie", cookie); len(got) != 1 || got[http.StatusOK] == 0 {
		t.Errorf("with the session: %v", got)
	}
	if answer, _ := p.ask(t, "POST", "/logout", "", "Cookie", cookie); answer.StatusCode != http.StatusNoContent {
		t.Errorf("logout: %d", answer.StatusCode)
	}
	if got := p.askAll(t, "/session", "Cookie", cookie); len(got) != 1 || got[http.StatusUnauthorized] == 0 {
		t.Errorf("after the logout: %v", got)
	}
}

// proofs: a proof is good so many times.
func (p *preforkedApp) proofs(t *testing.T, want int) {
	got := p.askAll(t, "/proof", "Authorization", "DPoP "+boundToken, "DPoP", p.proof(t))
	if got[http.StatusOK] != want || got[http.StatusUnauthorized] == 0 || len(got) != 2 {
		t.Errorf("%v, want 200 %d times and else 401", got, want)
	}
}

// failures: a budget of three is that of all processes.
func (p *preforkedApp) failures(t *testing.T) {
	got := p.askAll(t, "/password", "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("alice:wrong")))
	if got[http.StatusUnauthorized] != 3 || got[http.StatusTooManyRequests] == 0 || len(got) != 2 {
		t.Errorf("%v, want 401 three times and then 429", got)
	}
}

// counts: an answer of Digest is good so many times.
func (p *preforkedApp) counts(t *testing.T, want int) {
	refused, _ := p.ask(t, "GET", "/digest", "")
	offers, err := challenge.Parse(refused.Header.Values("WWW-Authenticate")...)
	if err != nil || len(offers) != 1 {
		t.Fatalf("%v, %v", offers, err)
	}
	nonce, _ := offers[0].Param("nonce")
	opaque, _ := offers[0].Param("opaque")
	hash, err := digest.HashA1(digest.SHA256, "alice", "prefork", "right")
	if err != nil {
		t.Fatal(err)
	}
	in := digest.Input{Method: "GET", URI: "/digest", Nonce: nonce, Count: "00000001", ClientNonce: rand.Text()}
	got := p.askAll(t, in.URI, "Authorization", fmt.Sprintf(
		`Digest username="alice", realm="prefork", algorithm=SHA-256, qop=auth, nc=%s, cnonce="%s", nonce="%s", opaque="%s", uri="%s", response="%s"`,
		in.Count, in.ClientNonce, nonce, opaque, in.URI, digest.SHA256.Response(hash, in)))
	if got[http.StatusOK] != want || got[http.StatusUnauthorized] == 0 || len(got) != 2 {
		t.Errorf("%v, want 200 %d times and else 401", got, want)
	}
}

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// jwk is a public key, in the form and order of its thumbprint (RFC 7638).
func jwk(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}`, b64(point[1:33]), b64(point[33:]))
}

func thumbprint(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	sum := sha256.Sum256([]byte(jwk(t, key)))
	return b64(sum[:])
}

// proof is one of RFC 9449 for the path of proofs.
func (p *preforkedApp) proof(t *testing.T) string {
	t.Helper()
	hash := sha256.Sum256([]byte(boundToken))
	text := b64([]byte(`{"typ":"dpop+jwt","alg":"ES256","jwk":`+jwk(t, p.key)+`}`)) + "." +
		b64(fmt.Appendf(nil, `{"jti":"%s","htm":"GET","htu":"http://%s/proof","iat":%d,"ath":"%s"}`, rand.Text(), p.address, time.Now().Unix(), b64(hash[:])))
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, p.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + b64(signature)
}
