package proxies_test

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/respond"
)

// agents are User-Agent lines of people, crawlers, programs, and of those who
// would like to be taken for them.
var agents = []string{
	"X-None: 1",
	"User-Agent: ",
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
	"User-Agent: Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
	"User-Agent: Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
	"User-Agent: Mozilla/5.0 (compatible; archive.org_bot; +http://archive.org/details/archive.org_bot)",
	"User-Agent: curl/7.88.1",
	"User-Agent: kube-probe/1.31",
	"User-Agent: facebookexternalhit/1.1\nUser-Agent: curl/7.88.1",
	"User-Agent: root' OR '1'='1 <script>" + strings.Repeat("x", 500),
}

// TestCrawlers: J01, J02, J04 and J05, directly and behind nginx with a cache.
func TestCrawlers(t *testing.T) {
	pages, err := respond.New(respond.WithSignInRedirect("/login"))
	if err != nil {
		t.Fatal(err)
	}
	for name, start := range frameworks {
		t.Run(name, func(t *testing.T) {
			app := start(t, newSite(t, core.WithResponder(pages)).pages())
			for where, addr := range map[string]string{"directly": app, "behind nginx": startNginx(t, documented(t, "nginx", "cache", "127.0.0.1:8080", app))} {
				t.Run(where, func(t *testing.T) { crawl(t, addr) })
			}
		})
	}
}

const anything, wantsPage = "Accept: */*", "Accept: text/html,application/xhtml+xml,*/*;q=0.8"

func crawl(t *testing.T, addr string) {
	for _, p := range []struct {
		target, accept, credentials string
		status                      int
	}{
		{"/public", anything, "X-None: 1", 200},
		{"/public", wantsPage, "Authorization: Bearer down", 200},
		{"/robots.txt", anything, "X-None: 1", 200},
		{"/robots.txt", wantsPage, "Authorization: Bearer expired", 200},
		{"/robots.txt", anything, "Authorization: Bearer down", 200},
		{"/.well-known/security.txt", anything, "X-None: 1", 200},
		{"/report", anything, "X-None: 1", 401},
		{"/report", wantsPage, "X-None: 1", 303},
		{"/report", wantsPage, "Authorization: Bearer expired", 401},
		{"/report", wantsPage, "Authorization: Bearer down", 503},
		{"/admin", wantsPage, "Authorization: Bearer alice", 403},
		{"/admin", anything, "Authorization: Bearer alice", 403},
		{"/hidden", wantsPage, "Authorization: Bearer alice", 404},
		{"/gone", wantsPage, "X-None: 1", 404},
	} {
		want := ask(t, addr, "GET", p.target, p.accept, p.credentials, agents[0])
		index := want.Header.Get("X-Robots-Tag")
		switch {
		case want.Status != p.status:
			t.Errorf("%s, %s, %s: %d, want %d", p.target, p.accept, p.credentials, want.Status, p.status)
		case p.status == 200 && (index != "" || want.Header.Get("WWW-Authenticate") != ""):
			t.Errorf("%s is public: %v", p.target, want.Header)
		case p.status != 200 && p.status != 404 && (index != "noindex" || want.Header.Get("Cache-Control") != "no-store"):
			t.Errorf("%s, %s: %d can be indexed: %v", p.target, p.credentials, p.status, want.Header)
		case p.status != 200 && strings.Contains(want.Body, "report for"):
			t.Errorf("%s, %s: %d with the report: %s", p.target, p.credentials, p.status, want.Body)
		case (p.status == 503) != (want.Header.Get("Retry-After") != ""):
			t.Errorf("%s: %d with Retry-After %q", p.target, p.status, want.Header.Get("Retry-After"))
		}
		if p.target == "/public" {
			want.Body = "" // it counts
		}
		for _, agent := range agents[1:] {
			got := ask(t, addr, "GET", p.target, p.accept, p.credentials, agent)
			if p.target == "/public" {
				got.Body = ""
			}
			if diff := difference(got, want); diff != "" {
				t.Errorf("%s, %s: %.80s is told another thing than others: %s", p.target, p.credentials, agent, diff)
			}
		}
	}
}
