package stores

import (
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/revoke/revoketest"
)

// memoryState is a state with only revocations.
type memoryState struct{ revoketest.Memory }

func (s *memoryState) Revocations() revoke.Log { return &s.Memory }
func (s *memoryState) Close() error            { return nil }

// TestRevoke: one command suffices for instances that follow the log.
func TestRevoke(t *testing.T) {
	s := &memoryState{}
	stateOpeners["memory"] = func(*stateFlags, string) (state, error) { return s, nil }
	t.Cleanup(func() { delete(stateOpeners, "memory") })
	t.Setenv(storeVariable, "memory://")
	f, err := revoke.Follow(t.Context(), s.Revocations())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	dir := t.TempDir()
	wants(t, dir, 0, "1  sub alice issued-before=|the first of the service \"default\"", "revoke", "user", "alice", "-M", "a laptop\nwas lost")
	wants(t, dir, 0, "2  jti 3f2a iss=https://issuer.example exp=", "revoke", "token", "3f2a", "--issuer", "https://issuer.example", "--expires-in", "1h")
	wants(t, dir, 0, "3  all issued-before=2001-01-01T00:00:00Z\n", "revoke", "all", "--before", "2001-01-01T00:00:00Z")
	wants(t, dir, 0, "4  jti short", "revoke", "token", "short", "--expires-in", "1ns")
	wants(t, dir, 0, "1  |: a laptop was lost  sub alice issued-before=|2  |jti 3f2a|3  |all issued-before=2001", "revoke", "list")
	if got := run(t, dir, "", "revoke", "list"); len(got.Stdout) == 0 || got.Stdout[0] != '1' || got.Stdout[len(got.Stdout)-1] != '\n' || lines(got.Stdout) != 3 {
		t.Errorf("list prints\n%s", got.Stdout)
	}
	if err := f.WaitFor(t.Context(), revoke.Position{Number: 4}); err != nil {
		t.Fatal(err)
	}
	if is, err := f.Revoked(t.Context(), revoke.Token{Subject: "alice", IssuedAt: time.Now().Add(-time.Minute)}); !is || err != nil {
		t.Errorf("%v, %v", is, err)
	}
	for _, args := range [][]string{
		{"revoke"}, {"revoke", "user"}, {"revoke", "user", ""}, {"revoke", "all", "x"}, {"revoke", "user", "a", "--before", "yesterday"},
		{"revoke", "user", "~949a.5a8072f379f443c899c144ec"},
		{"revoke", "user", "a", "--expires-in", "-1h"}, {"revoke", "user", "a", "--store", "mongodb://x"}, {"revoke", "token", "a", "--before", "2001-01-01T00:00:00Z"},
		{"state", "init"}, {"state", "schema", "--app", "x; drop table y"},
	} {
		wants(t, dir, 2, "sallyport: ", args...)
	}
	t.Setenv(storeVariable, "")
	wants(t, dir, 2, "which store?", "revoke", "list")
	wants(t, dir, 0, "create schema if not exists sallyport_state|grant select on sallyport_state.revocation to \"verifier\"|update, delete on sallyport_state.entry to \"app\"",
		"state", "schema", "--reader", "verifier", "--app", "app")
}

func lines(text string) (n int) {
	for _, c := range text {
		if c == '\n' {
			n++
		}
	}
	return n
}
