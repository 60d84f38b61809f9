package basic

import (
	"crypto/tls"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

func TestAttemptNamesTheAccount(t *testing.T) {
	s := &store{user: "alice", password: "secret"}
	cached := mustCache(t, s)
	for _, c := range []struct {
		name    string
		v       Verifier
		opts    []Option
		r       *request
		account string
		ok      bool
	}{
		{"none", s, nil, &request{}, "", false},
		{"another scheme", s, nil, &request{authorization: []string{"Bearer x"}}, "", false},
		{"two lines", s, nil, &request{authorization: []string{"Basic YTpi", "Basic YTpi"}}, "", false},
		{"a user", s, nil, &request{authorization: []string{"Basic " + encoded("bob:x:y")}}, "bob", true},
		{"one spelling of the user", s, nil, &request{authorization: []string{"Basic " + encoded("BoB:x")}}, "bob", true},
		{"one spelling, through a cache", cached, nil, &request{authorization: []string{"Basic " + encoded("BoB:x")}}, "bob", true},
		{"unreadable", s, nil, &request{authorization: []string{"Basic *"}}, "", true},
		{"no password", s, nil, &request{authorization: []string{"Basic " + encoded("bob:")}}, "", true},
		{"plain HTTP", s, []Option{WithTLSRequired()}, &request{authorization: []string{"Basic " + encoded("bob:x")}}, "", true},
		{"TLS", s, []Option{WithTLSRequired()}, &request{authorization: []string{"Basic " + encoded("bob:x")}, tls: &tls.ConnectionState{}}, "bob", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := mustNew(t, c.v, c.opts...)
			if account, ok := a.Scheme().Attempt(c.r); account != c.account || ok != c.ok {
				t.Errorf("%q, %v; want %q, %v", account, ok, c.account, c.ok)
			}
		})
	}
	if n := s.asked.Load(); n != 0 {
		t.Errorf("the verifier was asked %d times", n)
	}
}

func TestBrowsersSendPasswordsByThemselves(t *testing.T) {
	if s := mustNew(t, &store{}).Scheme(); s.Sender != core.SentByBrowser {
		t.Errorf("sender %v", s.Sender)
	}
}
