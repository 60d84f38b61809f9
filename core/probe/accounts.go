package probe

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
)

// maxAccounts is how many accounts are tried.
const maxAccounts = 2

// accounts are names of accounts: those of Basic credentials first.
func (st *state) accounts() []string {
	var names []string
	add := func(name string) {
		if name != "" && len(name) < 20 && len(names) < maxAccounts && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, id := range st.Identities {
		add(basicUser(id.Header))
	}
	for _, name := range st.Users {
		add(name)
	}
	return names
}

// basicUser is the user of Basic credentials, or "".
func basicUser(header []core.Field) string {
	scheme, rest, _ := strings.Cut(field(header, "Authorization"), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return ""
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	if err != nil {
		return ""
	}
	user, _, _ := strings.Cut(string(raw), ":")
	return user
}

func basic(user, password string) core.Field {
	return core.Field{Name: "Authorization", Value: "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}
}

// offersBasic reports whether the challenge of a route has the Basic scheme, or
// may have.
func (st *state) offersBasic(i int) bool {
	if st.blind || slices.ContainsFunc(st.Identities, func(id Identity) bool { return basicUser(id.Header) != "" }) {
		return true
	}
	for _, x := range st.log {
		if x.Purpose != Plain || x.Direct || x.Route != i || x.As != Anonymous || x.Status != http.StatusUnauthorized {
			continue
		}
		all, err := challenge.Parse(x.Answer.Header.Values("WWW-Authenticate")...)
		return err == nil && slices.ContainsFunc(all, func(c challenge.Challenge) bool { return strings.EqualFold(c.Scheme(), "Basic") })
	}
	return false
}
