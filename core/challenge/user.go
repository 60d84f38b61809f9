package challenge

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxUserBytes is the maximum length of a user's name in bytes.
const MaxUserBytes = 255

// CheckUser returns why a user with that name in a file could never sign in with
// Basic or Digest (RFC 7613 §3): that it is empty, has more than [MaxUserBytes], is
// not valid UTF-8, holds a control character, or begins or ends with a space. It
// does not look for a colon, which ends the name.
func CheckUser(user string) error {
	switch {
	case user == "":
		return errors.New("empty user: give a name")
	case len(user) > MaxUserBytes:
		return fmt.Errorf("user of %d bytes: must have at most %d", len(user), MaxUserBytes)
	case !utf8.ValidString(user):
		return fmt.Errorf("user %q is not valid UTF-8: save the file as UTF-8", user)
	case strings.ContainsFunc(user, unicode.IsControl):
		return fmt.Errorf("user %q contains a control character, which no client can send", user)
	case strings.TrimSpace(user) != user:
		return fmt.Errorf("user %q begins or ends with a space: remove it", user)
	}
	return nil
}
