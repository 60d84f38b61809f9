package apikey

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAppend(t *testing.T) {
	info := Info{
		ID: idB, Hash: hashOf("x"), Owner: "erin", Roles: []string{"editor", "a b"}, Scopes: []string{"read", "write"}, Tenant: "t",
		Comment: "# why", Created: noon.Add(time.Millisecond), Expires: noon.In(time.FixedZone("", 3600)), Revoked: noon, RevokedReason: "lost",
	}
	want := "[sp_bbbbbbbbbb]\nhash = " + info.Hash.String() + "\nowner = erin\nroles = editor, a b\nscopes = read, write\ntenant = t\n" +
		"comment = # why\ncreated = 2026-11-01T12:00:00Z\nexpires = 2026-11-01T12:00:00Z\nrevoked = 2026-11-01T12:00:00Z lost\n"
	for before, between := range map[string]string{
		"": "", "# only this\n": "\n", section(idA): "\n", strings.TrimSpace(section(idA)): "\n\n",
	} {
		got, err := Append("keys", []byte(before), info)
		if err != nil || string(got) != before+between+want {
			t.Errorf("after %q: %v\n%s", before, err, got)
		}
		load(t, string(got))
	}
	minimal, err := Append("keys", nil, Info{ID: idA, Hash: hashOf("x"), Owner: "erin"})
	if err != nil || strings.Count(string(minimal), "\n") != 3 {
		t.Errorf("%v\n%s", err, minimal)
	}
}

func TestAppendRefuses(t *testing.T) {
	good := Info{ID: idA, Hash: hashOf("x"), Owner: "erin"}
	key, _, _ := Generate()
	for _, c := range []struct {
		says   string
		before string
		change func(*Info)
	}{
		{"keys:1: no equals sign", "x\n", nil},
		{"keys already has key sp_aaaaaaaaaa", section(idA), nil},
		{"the ID must be sp_", "", func(i *Info) { i.ID = "ci-bot" }},
		{"the hash is missing", "", func(i *Info) { i.Hash = Hash{} }},
		{"the owner is missing", "", func(i *Info) { i.Owner = "" }},
		{"owner: contains an invisible character", "", func(i *Info) { i.Owner = "a\nrevoked = x" }},
		{"owner: begins or ends with a space", "", func(i *Info) { i.Owner = " a" }},
		{"role 1: contains a comma", "", func(i *Info) { i.Roles = []string{"a,b"} }},
		{"role 2: is empty", "", func(i *Info) { i.Roles = []string{"a", ""} }},
		{"scope 1: a scope must be", "", func(i *Info) { i.Scopes = []string{"a b"} }},
		{"scope 1: is empty", "", func(i *Info) { i.Scopes = []string{""} }},
		{"tenant: contains a #", "", func(i *Info) { i.Tenant = "a #b" }},
		{"comment: contains a key", "", func(i *Info) { i.Comment = key }},
		{"year 10000", "", func(i *Info) { i.Expires = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"year 1:", "", func(i *Info) { i.Revoked = time.Time{}.Add(1) }},
		{"a revocation reason without a revocation time", "", func(i *Info) { i.RevokedReason = "x" }},
	} {
		info := good
		if c.change != nil {
			c.change(&info)
		}
		got, err := Append("keys", []byte(c.before), info)
		if err == nil || got != nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), key[idBytes:]) {
			t.Errorf("error %v does not say %q", err, c.says)
		}
	}
}

func TestRevoke(t *testing.T) {
	text := "# mine\n" + section(idA, "# about a", "tenant = t", "", "# about b", "") + strings.TrimSuffix(section(idB), "\n")
	got, err := Revoke("keys", []byte(text), noon, "lost", idB, idA, idB)
	line := "revoked = 2026-11-01T12:00:00Z lost\n"
	want := strings.Replace(text, "tenant = t\n", "tenant = t\n"+line, 1) + "\n" + line
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
	for k := range load(t, string(got)).Keys() {
		if i := k.Info(); !i.Revoked.Equal(noon) || i.RevokedReason != "lost" {
			t.Errorf("%+v", i)
		}
	}
	again, err := Revoke("keys", got, noon.Add(time.Hour), "again", idA)
	if err != nil || string(again) != string(got) {
		t.Errorf("revoked again: %v\n%s", err, again)
	}
	crlf := strings.ReplaceAll(section(idA), "\n", "\r\n")
	got, err = Revoke("keys", []byte(crlf), noon, "", idA)
	if err != nil || string(got) != crlf+"revoked = 2026-11-01T12:00:00Z\r\n" {
		t.Errorf("%v\n%q", err, got)
	}
}

func TestRevokeRefuses(t *testing.T) {
	for _, c := range []struct {
		says, text, reason string
		at                 time.Time
		ids                []string
	}{
		{"keys:1: no equals sign", "x\n", "", noon, []string{idA}},
		{`keys: unknown key: "sp_bbbbbbbbbb"`, section(idA), "", noon, []string{idA, idB}},
		{"reason: contains an invisible character", section(idA), "a\nb", noon, []string{idA}},
		{"reason: begins or ends", section(idA), "a ", noon, []string{idA}},
		{"year 1:", section(idA), "", time.Time{}, []string{idA}},
	} {
		got, err := Revoke("keys", []byte(c.text), c.at, c.reason, c.ids...)
		if err == nil || got != nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error %v does not say %q", err, c.says)
		}
	}
	if _, err := Revoke("keys", []byte(section(idA)), noon, "", idB); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("error %v", err)
	}
}

// FuzzFile: whatever file is taken, each of its keys can be written and
// revoked, and nothing else in it changes.
func FuzzFile(f *testing.F) {
	f.Add(section(idA) + section(idB))
	f.Add("# x\r\n" + section(idA, "roles = a, b", "scopes = c", "tenant = t", "comment = # d", "created = 2026-11-01T12:00:00.5+01:00",
		"expires = 2027-11-01T00:00:00Z", "revoked = 2026-12-01T08:30:00Z  stolen"))
	f.Add("[sp_aaaaaaaaaa]\nhash=" + someHash + "\nowner==\nroles=,")
	f.Add("\uFEFF[\x00]=\n=\n")
	f.Add("\r\r\n\r ")
	f.Fuzz(func(t *testing.T, text string) {
		file := new(File)
		if err := file.Load("keys", []byte(text)); err != nil {
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, "keys:") {
					t.Errorf("finding %q", line)
				}
			}
			return
		}
		var ids []string
		var written []byte
		var before []string
		for k := range file.Keys() {
			info := k.Info()
			ids = append(ids, info.ID)
			before = append(before, fmt.Sprintf("%+v", info))
			var err error
			if written, err = Append("keys", written, info); err != nil {
				t.Fatal(err)
			}
		}
		if got := infos(t, written); !slices.Equal(got, before) {
			t.Errorf("written\n%s\nand read\n%s", before, got)
		}
		revoked, err := Revoke("keys", []byte(text), noon, "lost", ids...)
		if err != nil {
			t.Fatal(err)
		}
		after := load(t, string(revoked))
		for k := range after.Keys() {
			was, err := file.LookupKey(t.Context(), k.info.ID)
			if err != nil || k.info.Revoked.IsZero() {
				t.Errorf("%+v, %v", k.info, err)
			}
			if was.info.Revoked.IsZero() {
				k.info.Revoked, k.info.RevokedReason = time.Time{}, ""
			}
			if fmt.Sprintf("%+v", k.info) != fmt.Sprintf("%+v", was.info) {
				t.Errorf("was %+v and is %+v", was.info, k.info)
			}
		}
	})
}

func infos(t *testing.T, text []byte) []string {
	t.Helper()
	var all []string
	for k := range load(t, string(text)).Keys() {
		all = append(all, fmt.Sprintf("%+v", k.Info()))
	}
	return all
}

// FuzzKey: what is taken for a key has its form, and can be told by its text
// alone.
func FuzzKey(f *testing.F) {
	key, _, _ := Generate()
	for _, s := range []string{key, key[1:], forge(key, 'a'), mistyped(key, 30), strings.ToUpper(key), "sp_", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, ok := parse(s)
		if !ok {
			if id != "" {
				t.Errorf("%q is no key, but has the ID %q", s, id)
			}
			return
		}
		if !IsID(id) || !strings.HasPrefix(s, id+".") || len(s) != keyBytes || summed(s[:keyBytes-checkLetters]) != s {
			t.Errorf("%q is a key", s)
		}
		a := mustNew(t, storeOf())
		r := with(s)
		_, err := a.Authenticate(t.Context(), r)
		wantRefusal(t, a, r, err, "unknown_principal")
	})
}
