package scenario

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/core/challenge"
)

// Answer is what a server answered, as far as clients act on it.
type Answer struct {
	// Verdict is the status, the schemes of the challenges in order, each with
	// its error code or "stale" behind a colon in one word, and "Retry-After"
	// where that was sent: "401 Bearer:token Basic".
	Verdict string
	// Body is the error code of a refusal, or the route, subject and roles of
	// a success: "/reports victor [viewer]". It is "" for an empty body.
	Body string
}

// newAnswer reads a response. Challenges that do not parse are an error.
func newAnswer(resp *http.Response, body []byte) (Answer, error) {
	challenges, err := challenge.Parse(resp.Header.Values("WWW-Authenticate")...)
	if err != nil {
		return Answer{}, err
	}
	words := []string{strconv.Itoa(resp.StatusCode)}
	for _, c := range challenges {
		word := c.Scheme()
		if code, ok := c.Param("error"); ok {
			word += ":" + short(code)
		}
		if stale, _ := c.Param("stale"); strings.EqualFold(stale, "true") {
			word += ":stale"
		}
		words = append(words, word)
	}
	if resp.Header.Get("Retry-After") != "" {
		words = append(words, "Retry-After")
	}
	text, err := readBody(body)
	return Answer{Verdict: strings.Join(words, " "), Body: text}, err
}

// Legend explains what stands behind colons in verdicts.
const Legend = `Bearer:token    error="invalid_token"
Bearer:scope    error="insufficient_scope"
Bearer:request  error="invalid_request"
Digest:stale    stale=true: repeat with the new nonce, ask nobody
xDigest xBasic  for scripts: names on which no browser opens a password dialog`

// short is an error code of RFC 6750 §3.1 in one word, others as they are.
func short(code string) string {
	switch code {
	case "invalid_token":
		return "token"
	case "insufficient_scope":
		return "scope"
	case "invalid_request":
		return "request"
	}
	return code
}

func readBody(body []byte) (string, error) {
	if len(body) == 0 {
		return "", nil
	}
	var b struct {
		Error          string
		Route, Subject string
		Roles          []string
	}
	if err := json.Unmarshal(body, &b); err != nil {
		return "", fmt.Errorf("body %.100q: %w", body, err)
	}
	if b.Error != "" {
		return b.Error, nil
	}
	if b.Roles == nil {
		return "", fmt.Errorf("body %.100q has neither error nor roles", body)
	}
	if b.Subject == "" {
		b.Subject = "anonymous"
	}
	return fmt.Sprint(b.Route, " ", b.Subject, " ", b.Roles), nil
}

// meets reports whether the answer is what the scenario wants.
func (a Answer) meets(s Scenario) bool { return a.Verdict == s.Want && a.Body == s.Body }
