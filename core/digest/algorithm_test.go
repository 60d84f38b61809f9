package digest

import (
	"strings"
	"testing"
)

// Values of RFC 7616 §3.9.1, and otherwise computed from its definitions.
func TestExamplesOfTheRFC(t *testing.T) {
	in := Input{
		Method: "GET", URI: "/dir/index.html",
		Nonce:       "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
		ClientNonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
	}
	for _, c := range []struct {
		algorithm                   Algorithm
		a1, first, second, userhash string
	}{
		{
			MD5, "3d78807defe7de2157e2b0b6573a855f",
			"8ca523f5e9506fed4657c9700eebdbec", "4b5d595ecf2db9df612ea5b45cd97101", "4238f3a16167373febb9bc4d43db9cc4",
		},
		{
			SHA256, "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232",
			"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
			"8c8db27f49ff1c202f9fb49fa9d2e9eabf078dcc93db40dfd6527010091d1c8e",
			"a947aad205e80e429958a387394944c6b496301e79f89d35a4cc23b6ee12b5b6",
		},
		{
			SHA512256, "",
			"430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0",
			"c70be613fc833a6fd44d48f13b0ae4431b234f5a5c232c4f817c08d99be9485e",
			"e2dfabd1a96ddf867710b653b6e6857d1f147086de7d7ef79dcd249859872570",
		},
	} {
		t.Run("D05 "+string(c.algorithm), func(t *testing.T) {
			a1, err := HashA1(c.algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
			if err != nil {
				t.Fatal(err)
			}
			if c.a1 != "" && a1 != c.a1 {
				t.Errorf("H(A1) %s, want %s", a1, c.a1)
			}
			in.Count = "00000001"
			if got := c.algorithm.Response(a1, in); got != c.first {
				t.Errorf("nc=1: %s, want %s", got, c.first)
			}
			in.Count = "00000002"
			if got := c.algorithm.Response(a1, in); got != c.second {
				t.Errorf("nc=2: %s, want %s", got, c.second)
			}
			if got := HashUser(c.algorithm, "Mufasa", "http-auth@example.org"); got != c.userhash {
				t.Errorf("D17 userhash %s, want %s", got, c.userhash)
			}
		})
	}
}

// The example of RFC 7616 §3.9.2 uses SHA-512 truncated to 256 bits, according to erratum
// 4897.
func TestSHA512256IsThatOfFIPS180(t *testing.T) {
	const user, realm = "J\u00e4s\u00f8n Doe", "api@example.org"
	a1, err := HashA1(SHA512256, user, realm, "Secret, or not?")
	if err != nil {
		t.Fatal(err)
	}
	response := SHA512256.Response(a1, Input{
		Method: "GET", URI: "/doe.json",
		Nonce:       "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
		Count:       "00000001",
		ClientNonce: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
	})
	for _, c := range []struct{ what, got, want, printed string }{
		{
			"userhash", HashUser(SHA512256, user, realm),
			"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b",
			"488869477bf257147b804c45308cd62ac4e25eb717b12b298c79e62dcea254ec",
		},
		{
			"response", response,
			"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5",
			"ae66e67d6b427bd3f120414a82e4acff38e8ecd9101d6c861229025f607a79dd",
		},
	} {
		if c.got != c.want {
			t.Errorf("D04 %s %s, want %s", c.what, c.got, c.want)
		}
		if c.got == c.printed {
			t.Errorf("D04 %s is SHA-512 cut short", c.what)
		}
	}
}

// RFC 2617 §3.5, with the same formula for qop=auth.
func TestExampleOfRFC2617(t *testing.T) {
	a1, err := HashA1(MD5, "Mufasa", "testrealm@host.com", "Circle Of Life")
	if err != nil {
		t.Fatal(err)
	}
	got := MD5.Response(a1, Input{"GET", "/dir/index.html", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "00000001", "0a4f113b"})
	if got != "6629fae49393a05397450978507c4ef1" {
		t.Errorf("response %s", got)
	}
}

func TestHashA1Refuses(t *testing.T) {
	for _, c := range []struct {
		name        string
		algorithm   Algorithm
		user, realm string
		says        string
	}{
		{"unknown algorithm", "SHA-1", "bob", "r", `"SHA-1"`},
		{"D18 -sess", "SHA-256-sess", "bob", "r", "sess"},
		{"empty user", SHA256, "", "r", "user"},
		{"user with a colon", SHA256, "b:ob", "r", "colon"},
		{"empty realm", SHA256, "bob", "", "realm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := HashA1(c.algorithm, c.user, c.realm, "hunter2")
			if err == nil || got != "" || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q, %v; want an error with %q", got, err, c.says)
			}
		})
	}
}

func TestUnknownAlgorithmsHashToNothing(t *testing.T) {
	if got := Algorithm("SHA-1").Response("x", Input{}) + HashUser("", "bob", "r"); got != "" {
		t.Errorf("%q", got)
	}
}
