package loopback

import "testing"

func TestHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "127.0.0.1": true, "127.8.9.1": true, "::1": true,
		"::ffff:127.0.0.1": true, "localhost.example": false, "127.0.0.1.example": false, "0.0.0.0": false,
		"10.0.0.1": false, "": false, "[::1]": false, "localhost.": false, "2130706433": false, "localho\u017Ft": false,
	} {
		if got := Host(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func TestAuthority(t *testing.T) {
	for field, want := range map[string]bool{
		"localhost": true, "LOCALHOST:80": true, "shop.localhost:8080": true, "Shop.LocalHost": true, "127.0.0.1:1": true,
		"[::1]": true, "[::1]:8080": true, "::1": true, ".localhost": false, "notlocalhost": false, "localhost.example:80": false,
		"10.0.0.1:80": false, "": false, ":80": false, "localho\u017Ft": false, "shop.localho\u017Ft:80": false,
	} {
		if got := Authority(field); got != want {
			t.Errorf("%q: %v", field, got)
		}
	}
}
