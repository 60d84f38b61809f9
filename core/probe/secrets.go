package probe

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// minSecret is the minimum length, in bytes, of the secrets removed from answers: shorter
// ones occur in any text.
const minSecret = 6

// secrets returns the credentials of all identities and their parts, in each encoding in
// which a service may repeat them, longest first.
func (s *Settings) secrets() []string {
	var all []string
	add := func(text string) {
		for _, form := range []string{text, url.QueryEscape(text), url.PathEscape(text)} {
			if len(text) >= minSecret && !slices.Contains(all, form) {
				all = append(all, form)
			}
		}
	}
	for _, id := range s.Identities {
		_, password := basicPair(id.Header)
		add(password)
		for _, f := range id.Header {
			add(f.Value)
			_, rest, _ := strings.Cut(f.Value, " ")
			add(strings.TrimSpace(rest))
			if token, ok := parseJWT(strings.TrimSpace(rest)); ok {
				add(token.signature)
			}
			if strings.EqualFold(f.Name, "Cookie") {
				for _, c := range (&http.Request{Header: http.Header{"Cookie": {f.Value}}}).Cookies() {
					add(c.Value)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

// withoutSecrets returns the exchanges with credentials removed from the answers, since
// findings and notes quote them.
func withoutSecrets(s *Settings, log []Exchange) []Exchange {
	secrets := s.secrets()
	if len(secrets) == 0 {
		return log
	}
	var pairs []string
	for _, secret := range secrets {
		pairs = append(pairs, secret, "…")
	}
	hide := strings.NewReplacer(pairs...)
	log = slices.Clone(log)
	for i, x := range log {
		log[i].Body = hide.Replace(x.Body)
		for n, target := range x.Via {
			log[i].Via = slices.Clone(log[i].Via)
			log[i].Via[n] = hide.Replace(target)
		}
		for name, values := range x.Answer.Header {
			for n, value := range values {
				if shown := hide.Replace(value); shown != value {
					log[i].Answer.Header = log[i].Answer.Header.Clone()
					log[i].Answer.Header[name][n] = shown
				}
			}
		}
	}
	return log
}
