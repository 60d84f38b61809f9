package scenario

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/digest"
)

// digestUser answers the Digest challenge of a server (RFC 7616 §3.4), well or
// not.
type digestUser struct {
	name, password string
	// count is how many requests the client says it has sent with the nonce.
	count uint32
	// earlier are counts of right answers that were sent before this one.
	earlier []uint32
	// method, target and nonce are what the answer is for, "" for what it
	// should be for.
	method, target, nonce string
}

func digestUsers() map[string]digestUser {
	erin := digestUser{name: "erin", password: "erin-pass", count: 1}
	with := func(change func(*digestUser)) digestUser {
		u := erin
		change(&u)
		return u
	}
	return map[string]digestUser{
		"erin by digest":                   erin,
		"third answer to a nonce":          with(func(u *digestUser) { u.earlier, u.count = []uint32{1, 2}, 3 }),
		"answers out of order":             with(func(u *digestUser) { u.earlier, u.count = []uint32{2}, 1 }),
		"replayed answer":                  with(func(u *digestUser) { u.earlier = []uint32{1} }),
		"stale nonce, counted far too low": with(func(u *digestUser) { u.earlier = []uint32{5000} }),
		"wrong digest password":            with(func(u *digestUser) { u.password = "guess" }),
		"unknown digest user":              with(func(u *digestUser) { u.name = "mallory" }),
		"answer for another method":        with(func(u *digestUser) { u.method = http.MethodPost }),
		"answer for another path":          with(func(u *digestUser) { u.target = "/files/handbook" }),
		"nonce that the server never sent": with(func(u *digestUser) { u.nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v" }),
	}
}

// answer implements credentials.
func (u digestUser) answer(ctx context.Context, s Scenario, probe probe) (http.Header, error) {
	header, err := probe(ctx, nil)
	if err != nil {
		return nil, err
	}
	challenges, err := challenge.Parse(header.Values("WWW-Authenticate")...)
	if err != nil {
		return nil, err
	}
	for _, c := range challenges {
		if algorithm, _ := c.Param("algorithm"); c.Scheme() != "Digest" || algorithm != string(digest.SHA256) {
			continue
		}
		for _, count := range u.earlier {
			before := u
			before.count = count
			fields, err := before.sign(c, s)
			if err != nil {
				return nil, err
			}
			if _, err := probe(ctx, fields); err != nil {
				return nil, err
			}
		}
		return u.sign(c, s)
	}
	return nil, errors.New("the server does not offer Digest with SHA-256")
}

// sign is the answer to c.
func (u digestUser) sign(c challenge.Challenge, s Scenario) (http.Header, error) {
	const clientNonce = "0a4f113b"
	realm, _ := c.Param("realm")
	nonce, _ := c.Param("nonce")
	opaque, _ := c.Param("opaque")
	in := digest.Input{
		Method: cmp.Or(u.method, s.Method), URI: cmp.Or(u.target, s.Target), Nonce: cmp.Or(u.nonce, nonce),
		Count: fmt.Sprintf("%08x", u.count), ClientNonce: clientNonce,
	}
	a1, err := digest.HashA1(digest.SHA256, u.name, realm, u.password)
	if err != nil {
		return nil, err
	}
	return http.Header{"Authorization": {fmt.Sprintf(
		"Digest username=%q, realm=%q, nonce=%q, uri=%q, algorithm=SHA-256, qop=auth, nc=%s, cnonce=%q, response=%q, opaque=%q",
		u.name, realm, in.Nonce, in.URI, in.Count, clientNonce, digest.SHA256.Response(a1, in), opaque)}}, nil
}
