package apikey

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/linefile"
)

var someHash = "sha256:" + strings.Repeat("0a", 32)

const (
	idA = "sp_aaaaaaaaaa"
	idB = "sp_bbbbbbbbbb"
)

// section is a key in a file with the lines that it needs and others.
func section(id string, lines ...string) string {
	return "[" + id + "]\nhash = " + someHash + "\nowner = ci-bot\n" + strings.Join(append(lines, ""), "\n")
}

func load(t testing.TB, text string) *File {
	t.Helper()
	f := new(File)
	if err := f.Load("keys", []byte(text)); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFileIsRead(t *testing.T) {
	f := load(t, "# all keys\r\n\n[sp_aaaaaaaaaa]\r\n  owner=ci bot = x\r\n# in between\n\thash\t=\t"+someHash+"\n"+
		"roles = editor, chief viewer,a\nscopes = reports:read , b=c\ntenant = globex\ncomment = # nightly = build \n"+
		"created = 2026-11-01T12:00:00+01:00\nexpires = 2027-11-01T00:00:00Z\nrevoked = 2026-12-01T08:30:00Z  laptop stolen\n\n"+
		"[sp_bbbbbbbbbb]\nhash = "+strings.Replace(someHash, "0a", "0A", 1)+"\nowner = b\nrevoked = 2026-12-01T08:30:00Z")
	var got []string
	for k := range f.Keys() {
		got = append(got, fmt.Sprintf("%+v", k.Info()))
	}
	var hash Hash
	for i := range hash {
		hash[i] = 10
	}
	at := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, time.UTC)
	}
	want := []string{
		fmt.Sprintf("%+v", Info{ID: idA, Hash: hash, Owner: "ci bot = x", Roles: []string{"editor", "chief viewer", "a"},
			Scopes: []string{"reports:read", "b=c"}, Tenant: "globex", Comment: "# nightly = build", Created: at(11, 1, 11, 0),
			Expires: at(23, 1, 0, 0), Revoked: at(12, 1, 8, 30), RevokedReason: "laptop stolen"}),
		fmt.Sprintf("%+v", Info{ID: idB, Hash: hash, Owner: "b", Revoked: at(12, 1, 8, 30)}),
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if k, err := f.LookupKey(t.Context(), idA); err != nil || k.Info().ID != idA {
		t.Errorf("lookup: %v, %v", k, err)
	}
	if k, err := f.LookupKey(t.Context(), "sp_cccccccccc"); k != nil || !errors.Is(err, ErrUnknownKey) {
		t.Errorf("lookup of another: %v, %v", k, err)
	}
}

func TestFindings(t *testing.T) {
	key, _, _ := Generate()
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "keys: no key in the file"},
		{"comments alone", "# x\n\n", "keys: no key in the file"},
		{"byte order mark", "\uFEFF" + section(idA), "keys:1: begins with a byte order mark"},
		{"no equals sign", section(idA, "revoked"), "keys:4: no equals sign"},
		{"misspelt name", section(idA, "owners = x"), `keys:4: "owners" is not a field name: use one of hash, owner,`},
		{"name in capitals", section(idA, "Expires = x"), `keys:4: "Expires" is not a field name`},
		{"a key for a name", section(idA, key+" = x"), "keys:4: this is not a field name"},
		{"before the first key", "owner = x\n" + section(idA), "keys:1: owner is before the first [ID]"},
		{"twice", section(idA, "roles = x", "owner = y"), "keys:5: owner is already on line 3"},
		{"empty value", section(idA, "tenant ="), "keys:4: tenant: is empty: remove the line"},
		{"no bracket", "[sp_aaaaaaaaaa\n", "keys:1: no ] at the end"},
		{"comment behind a bracket", "[sp_aaaaaaaaaa] # x\n", "keys:1: no ] at the end"},
		{"no ID", "[ci-bot]\n", "keys:1: no ID in the brackets"},
		{"a key for an ID", "[" + key + "]\n", "keys:1: no ID in the brackets"},
		{"ID twice", section(idA) + section(idA), "keys:4: sp_aaaaaaaaaa is already on line 1"},
		{"no hash", "[sp_aaaaaaaaaa]\nowner = x\n", "keys:1: sp_aaaaaaaaaa: the hash is missing"},
		{"no owner", "\n[sp_aaaaaaaaaa]\nhash = " + someHash + "\n" + section(idB), "keys:2: sp_aaaaaaaaaa: the owner is missing"},
		{"hash of zeros", "[sp_aaaaaaaaaa]\nhash = sha256:" + strings.Repeat("0", 64) + "\n", "keys:1: sp_aaaaaaaaaa: the hash is missing"},
		{"a key for a hash", "[sp_aaaaaaaaaa]\nhash = " + key + "\n", "keys:2: hash: this is a key, not a hash"},
		{"hash too short", "[sp_aaaaaaaaaa]\nhash = sha256:00\n", "keys:2: hash: a hash must be sha256: and 64"},
		{"comment behind a role", section(idA, "roles = admin # x"), "keys:4: roles: role 1: contains a #"},
		{"comment in place of a tenant", section(idA, "tenant = # none"), "keys:4: tenant: contains a #"},
		{"empty role", section(idA, "roles = a,,b"), "keys:4: roles: role 2: is empty"},
		{"role twice", section(idA, "roles = a, b, a"), "keys:4: roles: role 3: is given twice"},
		{"scope with a space", section(idA, "scopes = a b"), "keys:4: scopes: scope 1: a scope must be printable ASCII"},
		{"scope in quotes", section(idA, `scopes = "a"`), "keys:4: scopes: scope 1: a scope must be printable ASCII"},
		{"unseen character", section(idA, "tenant = a\u202eb"), "keys:4: tenant: contains an invisible character"},
		{"carriage return inside", section(idA, "tenant = a\rb"), "keys:4: tenant: contains an invisible character"},
		{"invalid UTF-8", section(idA, "tenant = a\xff"), "keys:4: tenant: is not valid UTF-8"},
		{"long text", section(idA, "comment = "+strings.Repeat("x", 256)), "keys:4: comment: has 256 bytes: must have at most 255"},
		{"a key in a comment", section(idA, "comment = it is "+key+"!"), "keys:4: comment: contains a key"},
		{"no time", section(idA, "expires = 2027-01-31"), "keys:4: expires: is not a time such as"},
		{"comment behind a time", section(idA, "expires = 2027-01-31T00:00:00Z # x"), "keys:4: expires: is not a time such as"},
		{"no such day", section(idA, "created = 2027-02-30T00:00:00Z"), "keys:4: created: is not a time"},
		{"a time of zero", section(idA, "expires = 0001-01-01T00:00:00Z"), "keys:4: expires: year 1: must be from"},
		{"revoked without a time", section(idA, "revoked = yes"), "keys:4: revoked: is not a time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := new(File).Load("keys", []byte(c.text))
			if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), key[idBytes:]) {
				t.Errorf("the error tells the key: %v", err)
			}
		})
	}
}

func TestAllFindingsAtOnceButNotTooMany(t *testing.T) {
	err := new(File).Load("keys", []byte(section(idA, "x", "y = 1", "[", "tenant=")))
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("findings:\n%v", err)
	}
	err = new(File).Load("keys", []byte(strings.Repeat("x\n", 100_000)))
	if err == nil || strings.Count(err.Error(), "\n") != linefile.MaxFindings || !strings.Contains(err.Error(), "keys:101: not read") {
		t.Errorf("%d findings", strings.Count(err.Error(), "\n"))
	}
}

func TestSizeIsBounded(t *testing.T) {
	text := section(idA)
	text += strings.Repeat("#", MaxFileBytes-len(text))
	load(t, text)
	if err := new(File).Load("keys", []byte(text+"#")); err == nil || !strings.Contains(err.Error(), "keys: larger than 16777216 bytes") {
		t.Errorf("error %v", err)
	}
}

// H06, H07: an edit counts whole or not at all.
func TestRefusedEditChangesNothing(t *testing.T) {
	f := load(t, section(idA))
	for _, text := range []string{"", section(idB) + "x", section(idB) + section(idB)} {
		if err := f.Load("keys", []byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
		_, errA := f.LookupKey(t.Context(), idA)
		_, errB := f.LookupKey(t.Context(), idB)
		if errA != nil || !errors.Is(errB, ErrUnknownKey) {
			t.Errorf("after %q: %v, %v", text, errA, errB)
		}
	}
	if err := f.Load("keys", []byte(section(idB))); err != nil {
		t.Fatal(err)
	}
	if _, err := f.LookupKey(t.Context(), idA); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("a key that is no longer there: %v", err)
	}
}

func TestLoadBesideLookups(t *testing.T) {
	f := load(t, section(idA))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				if _, err := f.LookupKey(t.Context(), idA); err != nil {
					t.Error(err)
				}
				if n := len(slices.Collect(f.Keys())); n != 1 && n != 2 {
					t.Errorf("%d keys", n)
				}
			}
		})
	}
	for i := range 200 {
		text := section(idA)
		if i%2 == 0 {
			text += section(idB)
		}
		if err := f.Load("keys", []byte(text)); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
}

// A file that was never loaded is a fault of the service, and logs nobody out.
func TestFileWithoutContentIsUnavailable(t *testing.T) {
	key, _ := made(t, nil)
	f := new(File)
	var down *core.UnavailableError
	if _, err := mustNew(t, f).Authenticate(t.Context(), with(key)); !errors.As(err, &down) {
		t.Errorf("error %v", err)
	}
	for range f.Keys() {
		t.Error("there is a key")
	}
}

func TestOpen(t *testing.T) {
	name := filepath.Join(t.TempDir(), "keys")
	if _, err := OpenFile(name); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "sallyport apikey new -f") {
		t.Errorf("no file: %v", err)
	}
	if _, err := OpenFile(t.TempDir()); err == nil {
		t.Error("a directory is opened")
	}
	if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFile(name); err == nil || !strings.HasPrefix(err.Error(), name+":1: ") {
		t.Errorf("broken file: %v", err)
	}
	if err := os.WriteFile(name, []byte(section(idA)), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := OpenFile(name); err != nil || len(slices.Collect(f.Keys())) != 1 {
		t.Errorf("%v, %v", f, err)
	}
}

// Who holds a key's Info cannot change the key.
func TestKeyIsImmutable(t *testing.T) {
	roles := []string{"viewer"}
	_, k := made(t, func(i *Info) { i.Roles = roles })
	roles[0] = "admin"
	k.Info().Roles[0] = "admin"
	if k.Info().Roles[0] != "viewer" || k.principal.HasRole("admin") {
		t.Errorf("roles %v", k.Info().Roles)
	}
}
