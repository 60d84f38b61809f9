package clienttable

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/chromedp"
)

// app is a page whose script calls with the wrapper of examples/web. ask is given
// the passwords that somebody types into the sign-in dialog, and nothing for one
// who closes it.
const app = `<!doctype html><title>App</title><script type="module">
import { newAPI, APIError } from "/api.js";
window.session = async (password) => (await fetch("/session?password=" + password, { method: "POST" })).ok;
window.ask = async (path, headers, passwords) => {
  let dialogs = 0;
  const signIn = async () => {
    dialogs++;
    const password = passwords.shift();
    return password !== undefined && window.session(password);
  };
  let result;
  try {
    result = "resolves, " + (await newAPI({ signIn })(path, { headers })).status;
  } catch (failure) {
    result = failure instanceof APIError ? "APIError " + failure.status + " " + failure.code : String(failure);
  }
  return (dialogs > 0 ? "dialog; " : "") + result.trim();
};
window.ready = true;
</script>`

// browser is a running Chromium.
type browser struct{ ctx context.Context }

// tab is one that knows nothing of what others have signed in to, and whose
// password dialogs are answered by the test.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu      sync.Mutex
	answers []string // passwords to give, in order; then the dialog is closed
	dialogs int
}

// open opens a tab, which stays open as long as the browser.
func (b *browser) open(t *testing.T) *tab {
	t.Helper()
	ctx, _ := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext()) // ends with the browser
	v := &tab{t: t, ctx: ctx}
	must(t, chromedp.Listen(ctx, v.hear))
	handle := true
	_, err := chromedp.Call(ctx, fetch.Enable, fetch.EnableParams{HandleAuthRequests: &handle})
	must(t, err)
	return v
}

// hear lets every request pass and answers dialogs. A command that fails leaves
// its request waiting, and so the test.
func (v *tab) hear(event any) {
	switch e := event.(type) {
	case *fetch.EventRequestPaused:
		go func() {
			_, _ = chromedp.Call(v.ctx, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID})
		}()
	case *fetch.EventAuthRequired:
		answer := v.dialog()
		go func() {
			_, _ = chromedp.Call(v.ctx, fetch.ContinueWithAuth, fetch.ContinueWithAuthParams{RequestID: e.RequestID, AuthChallengeResponse: answer})
		}()
	}
}

func (v *tab) dialog() *fetch.AuthChallengeResponse {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.dialogs++
	if len(v.answers) == 0 {
		return &fetch.AuthChallengeResponse{Response: fetch.AuthChallengeResponseResponseCancelAuth}
	}
	secret := v.answers[0]
	v.answers = v.answers[1:]
	return &fetch.AuthChallengeResponse{
		Response: fetch.AuthChallengeResponseResponseProvideCredentials, Username: viewer, Password: secret,
	}
}

// visit opens a page, and types passwords into the dialogs there are.
func (v *tab) visit(address string, passwords ...string) (status int64, dialogs int) {
	v.t.Helper()
	v.mu.Lock()
	v.answers, v.dialogs = passwords, 0
	v.mu.Unlock()
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	r, err := chromedp.Run(ctx, chromedp.NavigateResponse(address))
	must(v.t, err)
	v.mu.Lock()
	defer v.mu.Unlock()
	return r.Status, v.dialogs
}

func evaluate[T any](v *tab, script string) T {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	must(v.t, err)
	return value
}

// visitApp opens the page with the script, with a session where one is wanted.
func (v *tab) visitApp(site *site, signedIn bool) {
	v.t.Helper()
	v.visit(site.url + "/app")
	if ready := evaluate[bool](v, "window.ready === true"); !ready {
		v.t.Fatal("the script of the page did not run")
	}
	if signedIn && !evaluate[bool](v, fmt.Sprintf("session(%q)", password)) {
		v.t.Fatal("there is no session")
	}
}

// navigate opens the page of a situation, as somebody who follows a link.
// Tokens are nothing that a browser has, so that a password takes their place,
// typed in before, and a session the place of one that expires.
func (b *browser) navigate(t *testing.T, s situation, site *site) string {
	v := b.open(t)
	var typed []string
	path := s.path
	switch s.has {
	case goodToken:
		if status, _ := v.visit(site.url+"/report", password); status != 200 {
			t.Fatalf("signing in got %d", status)
		}
	case expiredToken:
		path = "/page"
		v.visitApp(site, true)
		must(t, site.sessions.LogoutEverywhere(t.Context(), viewer))
	case heldPassword:
		typed = []string{password}
	case wrongPassword:
		typed = []string{guess}
	}
	site.log.forget()
	status, dialogs := v.visit(site.url+path, typed...)
	title := evaluate[string](v, "document.title || document.body.innerText.trim()")
	result := fmt.Sprintf("shows %d, “%s”", status, title)
	switch dialogs {
	case 0:
		return result
	case 1:
		return "dialog; " + result
	}
	return fmt.Sprintf("%d dialogs; %s", dialogs, result)
}

// call has a script call with the wrapper of examples/web. It has a session, or
// a token where the session could not meet the situation.
func (b *browser) call(t *testing.T, s situation, site *site) string {
	v := b.open(t)
	withToken := s.answer == 429
	v.visitApp(site, s.has == expiredToken || s.has == goodToken && !withToken)
	headers, typed := map[string]string{}, []string{}
	switch s.has {
	case goodToken:
		if withToken {
			headers["Authorization"] = "Bearer " + viewer
		}
	case expiredToken:
		must(t, site.sessions.LogoutEverywhere(t.Context(), viewer))
		typed = append(typed, password)
	case heldPassword:
		typed = append(typed, password)
	case wrongPassword:
		typed = append(typed, guess)
	}
	site.log.forget()
	arguments, err := json.Marshal([]any{s.path, headers, typed})
	must(t, err)
	return codes(evaluate[string](v, "ask(..."+string(arguments)+")"))
}

// codes is a result of ask with its code as a program's.
func codes(result string) string {
	before, failure, ok := strings.Cut(result, "APIError ")
	if !ok {
		return result
	}
	status, code, ok := strings.Cut(failure, " ")
	if !ok {
		return before + "`APIError` " + status
	}
	return before + "`APIError` " + status + ", `" + code + "`"
}
