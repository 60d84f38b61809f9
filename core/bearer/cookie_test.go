package bearer_test

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
)

func TestCookieNames(t *testing.T) {
	for name, want := range map[string]string{
		"__Host-token": "", "__Host-a.b": "",
		"": "__Host-", "token": "__Host-", "__Host-": "__Host-", "__host-token": "__Host-", "__Secure-token": "__Host-",
		"__Host-a b": "invalid", "__Host-a=b": "invalid", "__Host-a;b": "invalid",
	} {
		a, err := bearer.New("api", &verifier{}, bearer.WithCookie(name))
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", name, err)
			} else if s := a.Scheme(); s.Sender != core.SentByBrowser || strings.Join(s.Vary, " ") != "Authorization Cookie" {
				t.Errorf("%q: scheme %+v", name, s)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", name, err, want)
		}
	}
	if _, err := bearer.New("api", &verifier{}, bearer.WithCookie("__Host-a"), bearer.WithCookie("__Host-a")); err == nil {
		t.Error("two cookies were taken")
	}
}
