package htpasswd

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core/challenge"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/text/unicode/norm"
)

// DefaultCost is the recommended cost for [HashBcrypt]: about 0.2 s for each
// password.
const DefaultCost = 12

// made is the argon2id setting of hashes made here.
var made = shape{memory: 19456, passes: 2, threads: 1}

// HashBcrypt returns the bcrypt hash of a password for a line of a file. The
// password is converted to Unicode normalization form C, as for verification, and
// must then have 1 to 72 bytes. The cost must be 10 to 16.
func HashBcrypt(password string, cost int) (string, error) {
	if cost < defaultMinCost || cost > maxCost {
		return "", fmt.Errorf("htpasswd: bcrypt cost %d: must be from %d to %d", cost, defaultMinCost, maxCost)
	}
	password, err := checkPassword(password)
	if err != nil {
		return "", err
	}
	if len(password) > maxPassword {
		return "", fmt.Errorf("htpasswd: the password has %d bytes and bcrypt takes %d at most: use argon2id", len(password), maxPassword)
	}
	text, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		return "", fmt.Errorf("htpasswd: %w", err)
	}
	return strings.Replace(string(text), "$2a$", "$2y$", 1), nil // as other programs write it
}

// HashArgon2id returns the argon2id hash of a password for a line of a file, with
// m=19456,t=2,p=1 and 16 bytes of salt. The password is converted to Unicode
// normalization form C, as for verification.
func HashArgon2id(password string) (string, error) {
	password, err := checkPassword(password)
	if err != nil {
		return "", err
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	sum := argon2.IDKey([]byte(password), salt, made.passes, made.memory, made.threads, 32)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("%sv=19$m=%d,t=%d,p=%d$%s$%s", argon2idPrefix, made.memory, made.passes, made.threads, encode(salt), encode(sum)), nil
}

func checkPassword(password string) (string, error) {
	if password == "" {
		return "", errors.New("htpasswd: the password is empty")
	}
	return norm.NFC.String(password), nil
}

// SetUser returns text, the content of a password file that may be empty, with hash
// for user: in the user's line, or in a new one at the end. Comments and order
// stay. Its errors are those of [File.Load], with name; it refuses a file that
// [File.Load] would refuse, before or after the change.
func SetUser(name string, text []byte, user, hash string) ([]byte, error) {
	if err := challenge.CheckUser(user); err != nil {
		return nil, fmt.Errorf("htpasswd: %w", err)
	}
	if strings.Contains(user, ":") {
		return nil, fmt.Errorf("htpasswd: user %q contains a colon, which ends the name in a file", user)
	}
	if strings.HasPrefix(strings.TrimLeft(user, " \t"), "#") {
		return nil, fmt.Errorf("htpasswd: user %q begins with #, which is a comment in a file", user)
	}
	if strings.ContainsAny(hash, "\r\n") {
		return nil, errors.New("htpasswd: the hash contains a line break, after which the file would have another user")
	}
	var out bytes.Buffer
	replaced := false
	for line := range strings.Lines(string(text)) {
		body := strings.TrimRight(line, "\r\n")
		own, _, found := strings.Cut(body, ":")
		if found && norm.NFC.String(own) == norm.NFC.String(user) {
			line = user + ":" + hash + line[len(body):]
			replaced = true
		}
		out.WriteString(line)
	}
	if !replaced {
		if out.Len() > 0 && !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
			out.WriteByte('\n')
		}
		out.WriteString(user + ":" + hash + "\n")
	}
	check, err := New()
	if err != nil {
		return nil, err
	}
	if err := check.Load(name, out.Bytes()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
