package jwtauth_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

const keysURL = "https://issuer.example/jwks.json"

// published is an issuer's server in memory, so that tests control time.
type published struct {
	mu     sync.Mutex
	answer func(r *http.Request) (*http.Response, error)
	asked  atomic.Int64
}

func (p *published) RoundTrip(r *http.Request) (*http.Response, error) {
	p.asked.Add(1)
	p.mu.Lock()
	answer := p.answer
	p.mu.Unlock()
	resp, err := answer(r)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

func (p *published) will(answer func(*http.Request) (*http.Response, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// serves answers with a document; fields are pairs of name and value.
func (p *published) serves(document string, fields ...string) {
	p.will(func(*http.Request) (*http.Response, error) { return response(200, document, fields...), nil })
}

func (p *published) fails() {
	p.will(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })
}

// stalls answers only when the request has been cancelled.
func (p *published) stalls() {
	p.will(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	})
}

func response(status int, document string, fields ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(fields); i += 2 {
		h.Add(fields[i], fields[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, ContentLength: -1, Body: io.NopCloser(strings.NewReader(document))}
}

// edPrivate derives a key from its kid.
func edPrivate(kid string) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, kid)
	return ed25519.NewKeyFromSeed(seed)
}

// edKey is the public half as a JWK.
func edKey(kid string) string {
	public := edPrivate(kid).Public().(ed25519.PublicKey)
	return fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","kid":%q,"x":%q}`, kid, base64.RawURLEncoding.EncodeToString(public))
}

func setOf(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

func answers(status int, document string, fields ...string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return response(status, document, fields...), nil }
}

// leadsTo redirects to a URL with good keys.
func leadsTo(place string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		if r.URL.String() == place {
			return response(200, setOf(edKey("a"), edKey("b"))), nil
		}
		return response(302, "", "Location", place), nil
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// endless is an infinite response body.
func endless() *http.Response {
	r := response(200, "")
	r.Body = io.NopCloser(zeros{})
	return r
}

func brokenBody() *http.Response {
	r := response(200, "")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(setOf(edKey("b"))), brokenReader{}))
	return r
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
