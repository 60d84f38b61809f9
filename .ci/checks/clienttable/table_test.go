package clienttable

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/examples/shared/browsers"
	"github.com/sallyport-go/sallyport/examples/shared/programs"
)

var update = flag.Bool("update", false, "write docs/client-behaviour.md anew")

// page is the file that holds the table, by way of a link inside the module: go
// test remembers results by the files below it.
const page = "../doccheck/testdata/repository/docs/client-behaviour.md"

// quiet is how long after its last answer a client that lives on is watched: it
// would come back within what Retry-After says.
const quiet = retryAfter + 500*time.Millisecond

// client is a column of the table.
type client struct {
	name string
	// about says how it is started and what it has to sign in with.
	about string
	// ask has the client ask for a situation, and says how that ended.
	ask func(t *testing.T, s situation, site *site) string
	// tell says what it did, from what the site saw.
	tell    func([]exchange) string
	servers []server
	// lives says that it can ask again after it has shown the answer.
	lives bool
}

// cell is what a client did in a situation.
type cell struct{ answers, next, result string }

// TestMain keeps Gin's remarks out of the output.
func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	os.Exit(m.Run())
}

// clients are the columns. Those that are quick to start try all servers.
func clients(t *testing.T) []client {
	first := servers[:1]
	chromium := &browser{browsers.Start(t)}
	return []client{
		{"curl", "`curl URL`, with `-H 'Authorization: Bearer …'` for a token and `-u` for a password, which it sends unasked; with `--anyauth` it waits to be asked.", curl(), next, servers, false},
		{"curl --retry", "`curl --fail --retry 1 URL`, else the same.", curl("--fail", "--retry", "1"), next, servers, false},
		{"wget", "`wget URL`, with `--header` for a token and `--user` for a password, which it sends when asked.", wget, next, servers, false},
		{"authclient", "An `http.Client` with a transport of `core/authclient`, as in [Clients](clients.md), and then `authclient.Check`. Without credentials, it has a password for another realm.", transport, next, servers, false},
		{"crawler", "A crawler that keeps to RFC 9309 and to RFC 9110, honours noindex, and prefers `text/html`. Where it is signed in it has a fixed token, as the crawler of a company's own search.", crawl, next, servers, false},
		{"Chromium, a page", "Somebody opens the address in headless Chromium. Browsers have no tokens: signed in, it has the password from before; for the expired one it has a session that has ended, and the page is one that leads to the sign-in page.", chromium.navigate, next, first, true},
		{"Chromium, fetch", "A script calls with the wrapper of `examples/web/static/api.js`, with a session; for 429 with a token. A password is what somebody types into its sign-in dialog, and without one they close it.", chromium.call, next, first, true},
		{"nginx in front", "nginx with `proxy_cache` and `proxy_cache_valid any 10m`, asked twice by the same client and then by an admin, who may do all. A client with other credentials at hand sends them the second time.", behindNginx, throughNginx, first, false},
	}
}

// TestClientTable has every client ask in every situation, on each framework
// where that is cheap, and compares what it does with the page.
func TestClientTable(t *testing.T) {
	for _, program := range [][]string{{"curl"}, {"wget"}, {"nginx", "/usr/sbin/nginx"}, browsers.Names()} {
		programs.Need(t, program...)
	}
	columns := clients(t)
	table := make([][]cell, len(columns))
	t.Run("clients", func(t *testing.T) {
		var all sync.WaitGroup
		for i, c := range columns {
			all.Go(func() { table[i] = observeAll(t, c) })
		}
		all.Wait()
	})
	if t.Failed() {
		t.FailNow()
	}
	if slices.ContainsFunc(table, func(cells []cell) bool { return cells == nil }) {
		return // -run has left some out
	}
	checkAnswers(t, table)
	got := render(columns, table)
	if *update {
		must(t, os.WriteFile(page, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(filepath.FromSlash(page))
	must(t, err)
	if diff := firstDifference(string(want), got); diff != "" {
		t.Errorf("docs/client-behaviour.md says what is not so; go test ./.ci/checks/clienttable -update writes it anew\n%s", diff)
	}
}

// observeAll is what a client does in each situation, which must be the same with
// all of its servers. They are all tried at once, since most of the time is
// spent on waits; unlike parallel tests not only as many as there are processors.
func observeAll(t *testing.T, c client) []cell {
	columns := make([][]cell, len(c.servers))
	var all sync.WaitGroup
	for i, v := range c.servers {
		all.Go(func() {
			t.Run(c.name+" on "+v.name, func(t *testing.T) { columns[i] = observe(t, c, v) })
		})
	}
	all.Wait()
	for i, v := range c.servers {
		for j, cell := range columns[i] {
			if cell != columns[0][j] {
				t.Errorf("%s, %s: %q on %s, and %q on %s", c.name, situations[j].name, cell, v.name, columns[0][j], c.servers[0].name)
			}
		}
	}
	return columns[0]
}

// observe is what a client does in each situation with one server.
func observe(t *testing.T, c client, v server) []cell {
	cells := make([]cell, len(situations))
	sites := make([]*site, len(situations))
	for i, s := range situations {
		sites[i] = v.start(t)
		cells[i].result = c.ask(t, s, sites[i])
	}
	if c.lives {
		time.Sleep(quiet)
	}
	for i := range situations {
		exchanges := sites[i].log.all()
		cells[i].answers, cells[i].next = statuses(exchanges), c.tell(exchanges)
	}
	return cells
}

// checkAnswers holds each row to the answer it is about: at least one client got
// that first.
func checkAnswers(t *testing.T, table [][]cell) {
	t.Helper()
rows:
	for i, s := range situations {
		for _, cells := range table {
			if first, _, _ := strings.Cut(cells[i].answers, ","); first == statuses([]exchange{{status: s.answer}}) {
				continue rows
			}
		}
		t.Errorf("%s: no client got %d", s.name, s.answer)
	}
}

// firstDifference is the first line in which two texts differ, or "".
func firstDifference(want, got string) string {
	if want == got {
		return ""
	}
	wanted, lines := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(wanted), len(lines)) {
		line := func(text []string) string {
			if i < len(text) {
				return text[i]
			}
			return "(the end)"
		}
		if line(wanted) != line(lines) {
			return "the page: " + line(wanted) + "\nnow:      " + line(lines)
		}
	}
	return "line ends"
}
