package signinform_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/core/internal/signinform"
)

const (
	form   = "application/x-www-form-urlencoded"
	inJSON = "application/json"
)

func request(body io.Reader, mediaTypes ...string) *adapter.View {
	r := httptest.NewRequest(http.MethodPost, "/login", body)
	r.Header["Content-Type"] = mediaTypes
	return &adapter.View{Request: r}
}

// TestRead reads the fields that were asked for, and refuses what can be read in
// two ways.
func TestRead(t *testing.T) {
	const both = "alice|open sesame|"
	for _, tt := range []struct {
		name, media, body string
		want              string // user|password|extra; "malformed" or "ambiguous" for a refusal
	}{
		{"form", form, "user=alice&password=open+sesame", both},
		{"form with a character set", form + "; charset=utf-8", "user=alice&password=open%20sesame", both},
		{"form in capitals", "Application/X-WWW-Form-Urlencoded", "user=alice&password=open+sesame", both},
		{"other fields", form, "user=alice&password=open+sesame&extra=1&csrf=2&csrf=3", both + "1"},
		{"no body", "", "", "||"},
		{"empty field", form, "user=&password=", "||"},
		{"user twice", form, "user=alice&user=bob", "ambiguous"},
		{"password twice, alike", form, "password=x&password=x", "ambiguous"},
		{"bad escape", form, "user=%zz", "malformed"},
		{"semicolon", form, "user=alice;password=x", "malformed"},
		{"JSON", inJSON, `{"user":"alice","password":"open sesame"}`, both},
		{"JSON, other members", inJSON, `{"user":"alice","password":"open sesame","extra":"1","more":[1]}`, both + "1"},
		{"JSON, user twice", inJSON, `{"user":"alice","user":"bob"}`, "malformed"},
		{"JSON, user twice, one escaped", inJSON, `{"user":"alice","\u0075ser":"bob"}`, "malformed"},
		{"JSON, a number", inJSON, `{"user":7}`, "malformed"},
		{"JSON, null", inJSON, `{"user":null}`, "malformed"},
		{"JSON, an array", inJSON, `["alice"]`, "malformed"},
		{"JSON, cut off", inJSON, `{"user":"alice"`, "malformed"},
		{"JSON, more behind", inJSON, `{"user":"alice"}{}`, "malformed"},
		{"JSON called a form", form, `{"user":"alice"}`, "||"},
		{"no media type", "", "user=alice", "malformed"},
		{"another media type", "text/plain", "user=alice", "malformed"},
		{"multipart", "multipart/form-data; boundary=x", "--x--", "malformed"},
		{"longest", form, "user=" + strings.Repeat("a", signinform.MaxSize-len("user=")), strings.Repeat("a", signinform.MaxSize-len("user=")) + "||"},
		{"too long", form, "user=" + strings.Repeat("a", signinform.MaxSize), "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := signinform.Read(request(strings.NewReader(tt.body), tt.media), "user", "password", "extra")
			if got := outcome(f, err); got != tt.want {
				t.Errorf("%.80q, want %.80q; %v", got, tt.want, err)
			}
			if f != nil && f.JSON != (tt.media == inJSON) {
				t.Errorf("JSON is %v", f.JSON)
			}
		})
	}
}

// outcome is a form or a refusal as text.
func outcome(f *signinform.Form, err error) string {
	var bad *core.CredentialError
	switch {
	case errors.Is(err, core.ErrAmbiguousCredentials):
		return "ambiguous"
	case errors.As(err, &bad) && bad.Reason == core.ReasonMalformed && bad.Code == core.CodeInvalidCredentials:
		return "malformed"
	case err != nil:
		return "error " + err.Error()
	}
	return f.Get("user") + "|" + f.Get("password") + "|" + f.Get("extra")
}

// TestReadOddRequests: two media types, a body that breaks off, and a request
// that has no way to read a body.
func TestReadOddRequests(t *testing.T) {
	if got := outcome(signinform.Read(request(strings.NewReader("user=alice"), form, inJSON), "user")); got != "ambiguous" {
		t.Errorf("two media types: %s", got)
	}
	var gone *core.UnavailableError
	if _, err := signinform.Read(request(iotest.ErrReader(io.ErrUnexpectedEOF), form), "user"); !errors.As(err, &gone) || gone.Reason != core.ReasonClientGone {
		t.Errorf("body that breaks off: %v", err)
	}
	if got := outcome(signinform.Read(request(iotest.ErrReader(&http.MaxBytesError{Limit: 1}), form), "user")); got != "malformed" {
		t.Errorf("body that a middleware cuts: %s", got)
	}
	var fault *core.InternalError
	if _, err := signinform.Read(struct{ core.Request }{}, "user"); !errors.As(err, &fault) {
		t.Errorf("request without a body to read: %v", err)
	}
}

// TestErrorsNameNoValues: what somebody typed is in no log.
func TestErrorsNameNoValues(t *testing.T) {
	for media, body := range map[string]string{
		form: "password=hunter2&password=hunter2", inJSON: `{"password":"hunter2","password":"hunter2"}`, "text/plain": "hunter2",
	} {
		if _, err := signinform.Read(request(strings.NewReader(body), media), "password"); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", media, err)
		}
	}
}

// TestPost: other methods are 405 and reach nobody.
func TestPost(t *testing.T) {
	e := signinform.Post(func(context.Context, core.Request) core.Response { return core.Response{Status: http.StatusNoContent} })
	for method, want := range map[string]int{"POST": 204, "GET": 405, "HEAD": 405, "PUT": 405, "post": 405} {
		r := httptest.NewRequest(http.MethodPost, "/login", nil)
		r.Method = method
		got := e(t.Context(), &adapter.View{Request: r})
		if got.Status != want || want == 405 && (len(got.Fields) == 0 || got.Fields[0].Value != "POST") {
			t.Errorf("%s: %+v, want %d", method, got, want)
		}
	}
}

// FuzzRead: whatever comes, a form has the fields that a strict reader finds, once
// each, and everything else is refused.
func FuzzRead(f *testing.F) {
	for _, body := range []string{"user=alice&password=x", "user=a&user=b", "user=%zz", `{"user":"alice"}`, `{"user":"a","user":"b"}`, `{"user":{}}`, "", "\x00"} {
		f.Add(body, true)
		f.Add(body, false)
	}
	f.Fuzz(func(t *testing.T, body string, asJSON bool) {
		media := form
		if asJSON {
			media = inJSON
		}
		got, err := signinform.Read(request(strings.NewReader(body), media), "user", "password")
		if text := outcome(got, err); err != nil && text != "ambiguous" && text != "malformed" {
			t.Fatalf("%q: %v", body, err)
		}
		if err != nil || len(body) == 0 {
			return
		}
		if len(body) > signinform.MaxSize || got.JSON != asJSON {
			t.Fatalf("%d bytes were read as JSON %v", len(body), got.JSON)
		}
		if !asJSON {
			all, err := url.ParseQuery(body)
			if err != nil || len(all["user"]) > 1 || all.Get("user") != got.Get("user") {
				t.Errorf("%q: user %q, want %q (%v)", body, got.Get("user"), all["user"], err)
			}
		}
	})
}
