package secureurl

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{ // the error in https, or ""
		"https://a.example":                   "",
		"https://a.example:8443/keys?a=b":     "",
		"https://a.example/keys#":             "", // as good as none
		"HTTPS://A.example/keys":              "",
		"http://localhost:8080/keys":          "",
		"http://LOCALHOST/keys":               "",
		"http://127.0.0.1/keys":               "",
		"http://[::1]:8080/keys":              "",
		"http://a.example/keys":               "not https",
		"http://localhost.a.example/keys":     "not https",
		"http://localho\u017ft/keys":          "not https",
		"http://10.0.0.1/keys":                "not https",
		"https://u@a.example/keys":            "credentials",
		"https://@a.example/keys":             "credentials",
		"https://a.example/keys#k":            "a fragment",
		"https:a.example/keys":                "not an absolute https URL",
		"https:///keys":                       "not an absolute https URL",
		"https://:8443/keys":                  "not an absolute https URL",
		"//a.example/keys":                    "not an absolute https URL",
		"ftp://a.example/keys":                "not an absolute https URL",
		"file:///keys":                        "not an absolute https URL",
		"keys.json":                           "not an absolute https URL; read the file",
		"":                                    "not an absolute https URL",
		"https://a.example/%zz":               "not a URL",
		"https://a.example/\x00":              "not a URL",
		"https://a example/":                  "not a URL",
		"http://secret:secret@a.example":      "credentials",
		"http://a.example?key=secret":         "not https",
		"ftp://a.example?key=secret#secret":   "not an absolute",
		"https://a.example?key=secret#xyz":    "a fragment",
		"https://a.example/%zz?key=secret":    "not a URL",
		"https://u:secret@a.example?k=secret": "credentials",
	} {
		u, err := Parse(text, false, Hints{Absolute: "read the file", Credentials: "elsewhere", Plain: "change it"})
		switch {
		case want == "" && (err != nil || u.Hostname() == ""):
			t.Errorf("%q: %v, %v", text, u, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret")):
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		_, err = Parse(text, true, Hints{})
		if plain := want == "" || want == "not https"; (err == nil) != plain {
			t.Errorf("%q with plain http: %v", text, err)
		}
	}
}

func TestCheckRedirect(t *testing.T) {
	request := func(text string) *http.Request {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return &http.Request{URL: u}
	}
	for to, ok := range map[string]bool{
		"https://a.example/other":           true,
		"https://A.EXAMPLE/other?a=b":       true,
		"http://a.example/keys":             false,
		"https://b.example/keys":            false,
		"https://www.a.example/keys":        false,
		"https://a.example:8443/keys":       false,
		"https://\u00e5.example/keys":       false,
		"https://a.exampl\u00e9?key=secret": false,
	} {
		for count := 1; count <= maxRedirects+1; count++ {
			via := make([]*http.Request, count)
			for i := range via {
				via[i] = request("https://b.example/")
			}
			via[0] = request("https://a.example/keys")
			err := CheckRedirect(request(to), via)
			if (err == nil) != (ok && count <= maxRedirects) || err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("redirect %d to %s: %v", count, to, err)
			}
		}
	}
}
