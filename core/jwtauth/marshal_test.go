package jwtauth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
)

func TestJWKSetComesBackAsItWasWritten(t *testing.T) {
	ends := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	first, err := jwtsign.GenerateKey(jwtsign.WithDevelopment())
	if err != nil {
		t.Fatal(err)
	}
	second, err := jwtsign.GenerateKey(jwtsign.WithAlgorithm("EdDSA"))
	if err != nil {
		t.Fatal(err)
	}
	set, err := jwtauth.NewKeySet(first.Public(), second.Public().EndingAt(ends.Add(time.Millisecond)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := set.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	read, err := jwtauth.KeySetFromJWKS("set", text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	keys := read.All()
	if len(keys) != 2 || !keys[0].Development() || keys[1].Development() || !keys[0].Until().IsZero() || !keys[1].Until().Equal(ends) {
		t.Errorf("%s was read as %+v", text, keys)
	}
	if keys[0].ID() != first.ID() || keys[0].Thumbprint() != first.ID() || keys[0].Algorithm() != "ES256" || keys[1].Thumbprint() != second.ID() {
		t.Errorf("%s has other keys", text)
	}
	if again, err := read.MarshalJSON(); err != nil || string(again) != string(text) {
		t.Errorf("%s became %s: %v", text, again, err)
	}
}

func TestSecretIsNeverPublished(t *testing.T) {
	secret, err := jwtauth.HMACKey("kid", "HS256", []byte(strings.Repeat("s", 32)))
	if err != nil {
		t.Fatal(err)
	}
	set, err := jwtauth.NewKeySet(secret)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := set.MarshalJSON(); err == nil {
		t.Errorf("published as %s", text)
	}
	if text, err := secret.MarshalPEM(); err == nil {
		t.Errorf("published as %s", text)
	}
	if text, err := new(jwtauth.Key).MarshalJSON(); err == nil {
		t.Errorf("no key is published as %s", text)
	}
}

func TestPrivateMembersAreOfTheirType(t *testing.T) {
	key, err := jwtsign.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	text, err := key.Public().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	with := func(member string) error {
		_, err := jwtauth.KeySetFromJWKS("set", []byte(`{"keys":[{`+member+`,`+string(text[1:])+`]}`))
		return err
	}
	for _, member := range []string{`"sallyport_development":true`, `"sallyport_development":false`, `"sallyport_until":1800000000`} {
		if err := with(member); err != nil {
			t.Errorf("%s: %v", member, err)
		}
	}
	for _, member := range []string{
		`"sallyport_development":"yes"`, `"sallyport_development":1`, `"sallyport_development":null`, `"sallyport_until":"tomorrow"`, `"sallyport_until":-1`, `"sallyport_until":null`,
	} {
		if with(member) == nil {
			t.Errorf("%s is accepted", member)
		}
	}
}
