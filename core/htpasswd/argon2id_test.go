package htpasswd

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"

	"github.com/sallyport-go/sallyport/core/basic"
)

// argon2idOf is a hash with a salt of its own length.
func argon2idOf(password string, memory, passes uint32, threads uint8) string {
	salt := []byte("0123456789abcdef")
	return spelt(&hash{
		shape: shape{memory: memory, passes: passes, threads: threads},
		salt:  salt,
		sum:   argon2.IDKey([]byte(password), salt, passes, memory, threads, 32),
	})
}

// Lines that the argon2 command, of the reference implementation, has made:
//
//	printf %s 'open sesame' | argon2 saltsalt12345678 -id -t 2 -k 19456 -p 1 -l 32 -e
func TestHashesOfTheReferenceImplementation(t *testing.T) {
	f := mustParse(t, `
two:$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQxMjM0NTY3OA$Gi/GyO+ja0HNix2yXrD4tGC0LDT8u4u288GHKRMPv+k
five:$argon2id$v=19$m=7168,t=5,p=1$c2FsdHNhbHQxMjM0NTY3OA$8k1fYXlIhzA8gfuk4ZbTB1++Qc09PkZhuW39v2ZMyb8
one:$argon2id$v=19$m=47104,t=1,p=4$c2FsdHNhbHQxMjM0NTY3OA$GpGVYgDeUebGZLYd9NGjAw
`)
	for _, user := range []string{"one", "two", "five"} {
		if p, err := f.VerifyPassword(t.Context(), user, "open sesame"); err != nil || p.ID() != user {
			t.Errorf("%s: %v, %v", user, p, err)
		}
	}
	if _, err := f.VerifyPassword(t.Context(), "two", "open barley"); !errors.Is(err, basic.ErrWrongPassword) {
		t.Errorf("wrong password: %v", err)
	}
}

// C09: argon2id hashes a password whole, however long it is.
func TestArgon2idTakesLongPasswords(t *testing.T) {
	long := strings.Repeat("x", 5000)
	f := mustParse(t, "alice:"+argon2idOf(long, 7168, 5, 1)+"\nbob:"+hashOf(t, long[:72]))
	if _, err := f.VerifyPassword(t.Context(), "alice", long); err != nil {
		t.Error(err)
	}
	for _, password := range []string{long[:72], long[1:], long + "x"} {
		if _, err := f.VerifyPassword(t.Context(), "alice", password); !errors.Is(err, basic.ErrWrongPassword) {
			t.Errorf("%d bytes: %v", len(password), err)
		}
	}
}

func TestArgon2idLimitsAreInclusive(t *testing.T) {
	const rest = "$c2FsdHNhbHQxMjM0NTY3OA$GpGVYgDeUebGZLYd9NGjAw"
	for _, c := range []struct {
		params string
		says   string // "" when it is taken
	}{
		// The settings of the OWASP Password Storage Cheat Sheet, and one less.
		{"m=47104,t=1,p=1", ""}, {"m=47103,t=1,p=1", "below 47104 KiB, the minimum for t=1"},
		{"m=19456,t=2,p=1", ""}, {"m=19455,t=2,p=1", "below 19456 KiB, the minimum for t=2"},
		{"m=12288,t=3,p=1", ""}, {"m=12287,t=3,p=1", "below 12288 KiB"},
		{"m=9216,t=4,p=1", ""}, {"m=9215,t=4,p=1", "below 9216 KiB"},
		{"m=7168,t=5,p=1", ""}, {"m=7167,t=5,p=1", "below 7168 KiB"},
		{"m=7168,t=100,p=1", ""}, {"m=7167,t=100,p=1", "below 7168 KiB, the minimum for t=100"},
		{"m=4096,t=3,p=1", "too quick to guess: make it again with argon2id with m=19456"}, // the command's default
		{"m=65536,t=3,p=4", ""}, // RFC 9106 §4, second choice
		{"m=2097152,t=1,p=4", "needs more memory than the 262144 KiB allowed"}, // its first
		{"m=262144,t=1,p=1", ""}, {"m=262145,t=1,p=1", "allow more with WithMaxMemory"},
		{"m=262144,t=16,p=1", ""}, {"m=262144,t=17,p=1", "would take seconds"},
		{"m=7168,t=586,p=1", "m times t at most 4194304"}, {"m=7168,t=4294967295,p=1", "would take seconds"},
		{"m=4294967295,t=4294967295,p=1", "needs more memory"},
		{"m=47104,t=1,p=16", ""}, {"m=47104,t=1,p=17", "p 1 to 16"}, {"m=47104,t=1,p=257", "p 1 to 16"},
		{"m=47104,t=1,p=0", "p 1 to 16"}, {"m=47104,t=0,p=1", "t must be at least 1"}, {"m=0,t=1,p=1", "below 47104"},
	} {
		_, err := Parse("f", strings.NewReader("bob:$argon2id$v=19$"+c.params+rest))
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.HasPrefix(err.Error(), `f:1: user "bob": `) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("C09: %s: error %v, want %q", c.params, err, c.says)
		}
	}
	if _, err := Parse("f", strings.NewReader("bob:$argon2id$v=19$m=2097152,t=1,p=4"+rest), WithMaxMemory(2<<30)); err != nil {
		t.Errorf("C09: the first choice of RFC 9106 §4 with 2 GiB: %v", err)
	}
}

func TestDamagedArgon2idNamesTheDamage(t *testing.T) {
	const (
		params = "m=19456,t=2,p=1"
		salt   = "c2FsdHNhbHQxMjM0NTY3OA"
		sum    = "Gi/GyO+ja0HNix2yXrD4tGC0LDT8u4u288GHKRMPv+k"
	)
	for _, c := range []struct{ name, text, says string }{
		{"no version", params + "$" + salt + "$" + sum, "not $argon2id$v=19$"},
		{"old version", "v=16$" + params + "$" + salt + "$" + sum, "no version 19"},
		{"empty version", "$" + params + "$" + salt + "$" + sum, "no version 19"},
		{"no hash", "v=19$" + params + "$" + salt, "not $argon2id$v=19$"},
		{"more after the hash", "v=19$" + params + "$" + salt + "$" + sum + "$", "not $argon2id$v=19$"},
		{"order of parameters", "v=19$t=2,m=19456,p=1$" + salt + "$" + sum, "parameters that are not m=…"},
		{"a parameter without its name", "v=19$m=19456,2,p=1$" + salt + "$" + sum, "parameters"},
		{"a parameter less", "v=19$m=19456,t=2$" + salt + "$" + sum, "parameters"},
		{"a key", "v=19$" + params + ",keyid=AAAA$" + salt + "$" + sum, "parameters"},
		{"leading zero", "v=19$m=019456,t=2,p=1$" + salt + "$" + sum, "parameters"},
		{"sign", "v=19$m=+19456,t=2,p=1$" + salt + "$" + sum, "parameters"},
		{"hexadecimal", "v=19$m=0x4C00,t=2,p=1$" + salt + "$" + sum, "parameters"},
		{"more than 32 bits", "v=19$m=4294986752,t=2,p=1$" + salt + "$" + sum, "parameters"},
		{"space", "v=19$m=19456, t=2,p=1$" + salt + "$" + sum, "parameters"},
		{"salt of 7 bytes", "v=19$" + params + "$c2FsdHNhbA$" + sum, "a salt that is not 8 to 64 bytes"},
		{"salt of 65 bytes", "v=19$" + params + "$" + strings.Repeat("AAAA", 21) + "AAA$" + sum, "a salt that is not 8 to 64 bytes"},
		{"padded salt", "v=19$" + params + "$" + salt + "==$" + sum, "a salt"},
		{"salt with bits left over", "v=19$" + params + "$c2FsdHNhbHQxMjM0NTY3OB$" + sum, "a salt"},
		{"CR in the salt", "v=19$" + params + "$c2Fs\rdHNhbHQxMjM0NTY3OA$" + sum, "a salt"},
		{"hash of 15 bytes", "v=19$" + params + "$" + salt + "$" + strings.Repeat("A", 20), "a hash that is not 16 to 64 bytes"},
		{"hash of 65 bytes", "v=19$" + params + "$" + salt + "$" + strings.Repeat("A", 87), "a hash that is not 16 to 64 bytes"},
		{"URL alphabet", "v=19$" + params + "$" + salt + "$" + strings.ReplaceAll(sum, "/", "_"), "a hash"},
		{"space after the hash", "v=19$" + params + "$" + salt + "$" + sum + " ", "a hash"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("f", strings.NewReader("bob:$argon2id$"+c.text))
			if err == nil || !strings.HasPrefix(err.Error(), `f:1: user "bob": malformed argon2id hash: `) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("error %v does not say %q", err, c.says)
			}
			if strings.Contains(err.Error(), salt) || strings.Contains(err.Error(), sum) {
				t.Errorf("error %q repeats the hash", err)
			}
		})
	}
}

func TestSettingsOfArgon2idAreBounded(t *testing.T) {
	var text strings.Builder
	for i := range 6 {
		fmt.Fprintf(&text, "user%d:$argon2id$v=19$m=%d,t=2,p=1$c2FsdHNhbHQxMjM0NTY3OA$GpGVYgDeUebGZLYd9NGjAw\n", i, 19456+i%4)
	}
	mustParse(t, text.String())
	text.WriteString("seven:$argon2id$v=19$m=19456,t=3,p=1$c2FsdHNhbHQxMjM0NTY3OA$GpGVYgDeUebGZLYd9NGjAw\n")
	_, err := Parse("f", strings.NewReader(text.String()))
	if want := `f:7: user "seven": argon2id with m=19456,t=3,p=1 is one setting too many: a file may have 4`; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}
