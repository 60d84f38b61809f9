package replay_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/replay"
)

// oddModel has tenants and an attribute.
const oddModel = `[request_definition]
r = sub, dom, obj, act, region
[policy_definition]
p = sub, dom, obj, act, region, eft
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = g(r.sub, p.sub, r.dom) && r.dom == p.dom && keyMatch2(r.obj, p.obj) && (p.act == "*" || r.act == p.act) && (p.region == "*" || r.region == p.region)
`

const oddOldPolicy = `p, viewer, acme, /reports/:id, GET, eu, allow
p, viewer, globex, /reports/:id, GET, *, allow
p, "ops ""b""", acme, /reports/:id, *, *, allow
p, zoé, acme, /drafts/:id, GET, us, deny
p, zoé, acme, /drafts/:id, *, *, allow
p, auditor, acme, /nobody/asks, GET, eu, allow
g, zoé, viewer, acme
g, ann, viewer, globex
`

const oddNewPolicy = `p, viewer, acme, /reports/:id, GET, *, allow
p, viewer, globex, /reports/:id, PATCH, eu, allow
p, "ops ""b""", acme, /reports/:id, GET, *, allow
p, zoé, acme, /drafts/:id, *, eu, allow
p, 𝄞, globex, /drafts/:id, GET, *, allow
p, auditor, acme, /nobody/asks, GET, eu, allow
g, zoé, viewer, globex
g, ann, viewer, acme
`

// oddLine is a line of the log with whatever a client can cause.
func oddLine(random *rand.Rand, seq int) string {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	var b strings.Builder
	fmt.Fprintf(&b, `{"v":1,"kind":"decision","seq":%d,"time":"2026-11-29T01:%02d:03.%dZ"`, seq, random.IntN(60), random.IntN(1e9))
	text := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, `,"%s":%s`, key, value)
		}
	}
	text("outcome", pick(`"allowed"`, `"allowed"`, `"allowed"`, `"forbidden"`, `"forbidden"`, `"unauthenticated"`, `"unavailable"`, `"client_gone"`))
	text("status", pick("200", "403", "401"))
	text("reason", pick(`"allowed"`, `"denied"`, `"no_rule_matched"`, `"attribute_missing"`, ""))
	text("gate", pick(`"authorize"`, `"authorize"`, `"authorize"`, `"authorize"`, `"authorize"`, `"authorize"`, `"require"`, ""))
	text("rule", pick(`"policy.csv:1"`, `"a\\b.csv:2"`, ""))
	b.WriteString(`,"request":{"principal":` + pick(`"zoé"`, `"zo\u00e9"`, `"ann"`, `"\ud834\udd1e"`, `"𝄞"`, `"bo\"b"`, `"},\"duration_us\":"`, `"~0123.0123456789abcdef01234567"`, `""`))
	text("tenant", pick(`"acme"`, `"acme"`, `"globex"`, `"glob\u0065x"`, `"\u202eacme"`, ""))
	text("token_roles", pick(`["viewer"]`, `["ops \"b\"","viewer"]`, `["stranger"]`, "", ""))
	text("policy_roles", pick(`["x"]`, ""))
	method := pick(`"GET"`, `"GET"`, `"PATCH"`, `"HEAD"`, `"M-SEARCH"`)
	text("method", method)
	text("action", pick(method, method, method, method, method, ""))
	route := pick("/reports/:id", "/drafts/:id")
	text("route", `"`+route+`"`)
	text("resource", `"`+strings.Replace(route, ":id", pick("7", `a\\b`, "é", `\u007f`, fmt.Sprint(random.IntN(50)), "~0123.0123456789abcdef01234567"), 1)+`"`)
	text("readings", pick("1", "", "", "", "", ""))
	text("attributes", pick(`{"region":"eu"}`, `{"region":"eu"}`, `{"region":"us","other":"\u0000"}`, `{"other":"x"}`, ""))
	text("cut", pick("true", "", "", "", "", "", "", "", ""))
	fmt.Fprintf(&b, `},"duration_us":%d`, random.IntN(1000))
	text("client", pick(`"192.0.2.1"`, ""))
	text("request_id", pick(`"r\"\u0007"`, `"r"`, ""))
	text("cause", pick(`"it is },\"duration_us\":3"`, "", ""))
	b.WriteString("}")
	return b.String()
}

// oddLog is a log with lines written by other programs, damaged by disks, or repeated.
func oddLog(t testing.TB, lines int) []string {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 5))
	dir := t.TempDir()
	var files []string
	var out bytes.Buffer
	for seq := 1; seq <= lines; seq++ {
		line := []byte(oddLine(random, seq))
		switch random.IntN(20) {
		case 0: // some bytes changed
			for range 1 + random.IntN(3) {
				line[random.IntN(len(line))] = byte(random.IntN(256))
			}
			line = bytes.ReplaceAll(line, []byte("\n"), []byte("\v"))
		case 1: // cut off, followed by the next line
			line = line[:random.IntN(len(line))]
			if random.IntN(2) == 0 {
				line = append(line, oddLine(random, seq)...)
			}
		case 2: // written by another program, with another order of keys
			var any map[string]any
			must(t, json.Unmarshal(line, &any))
			again, err := json.Marshal(any)
			must(t, err)
			line = again
		case 3: // a key twice
			key := [...]string{`"request":{"action":"GET"}`, `"outcome":"allowed"`, `"Gate":"authorize"`, `"request":{"attributes":{"region":"us"}}`}[random.IntN(4)]
			at := bytes.Index(line, []byte(`,"duration_us":`))
			line = append(append(append(append([]byte{}, line[:at]...), ','), key...), line[at:]...)
		case 4: // space between keys
			line = bytes.Replace(line, []byte(`,"outcome"`), []byte(` , "outcome"`), 1)
		case 5:
			line = []byte([...]string{
				"", "{}", "null", "[]", "\x00\x00", "\r", `{"v":2,"kind":"decision","seq":1}`,
				fmt.Sprintf(`{"v":1,"kind":"open","seq":%d,"time":"2026-11-29T00:00:00Z","open":{"why":"start","sample_rate":1,"lost_at_most":3}}`, seq),
				fmt.Sprintf(`{"v":1,"kind":"dropped","seq":%d,"time":"2026-11-29T00:00:00Z","dropped":{"queue_full":2,"write_failed":1}}`, seq),
				fmt.Sprintf(`{"v":1,"kind":"decision","seq":%d,"time":"2026-11-29T00:00:00Z","gate":"authorize"}`, seq),
			}[random.IntN(10)])
		}
		out.Write(line)
		last := seq == lines
		if !last { // the last one has no end
			out.WriteByte('\n')
		}
		if out.Len() > 8<<20 || last {
			files = append(files, filepath.Join(dir, fmt.Sprintf("log.%d", len(files))))
			must(t, os.WriteFile(files[len(files)-1], out.Bytes(), 0o600))
			out.Reset()
		}
	}
	return files
}

// TestEqualsBruteForceWhateverIsInTheLog: lines scanned quickly, or counted with others
// of their kind, give the same result as if each was read by encoding/json and decided
// separately.
func TestEqualsBruteForceWhateverIsInTheLog(t *testing.T) {
	t.Parallel()
	authorizer := func(text string) *ask.Policy {
		file := filepath.Join(t.TempDir(), "policy.csv")
		must(t, os.WriteFile(file, []byte(text), 0o600))
		a, err := casbinrules.Open(casbinrules.ModelText("odd.conf", oddModel), []string{file}, casbinrules.WithClaimsAsAttributes())
		must(t, err)
		return &ask.Policy{Authorizer: a}
	}
	before, after := authorizer(oddOldPolicy), authorizer(oddNewPolicy)
	files := oddLog(t, manyLines())
	want := brute(t, files, before, after, nil)
	settings := replay.Settings{Old: before, New: after, Samples: 3}
	for _, s := range []replay.Settings{settings, replay.WithFewKinds(settings)} {
		r, err := replay.Run(t.Context(), files, s)
		must(t, err)
		want.equals(t, r, after)
	}
	if len(want.changes) < 25 || len(want.lacks) != 8 || want.compared < want.lines/10 {
		t.Errorf("%d changes, lacks %v, %d of %d compared", len(want.changes), want.lacks, want.compared, want.lines)
	}
}

// TestInvalidLog is refused before it takes unbounded memory.
func TestInvalidLog(t *testing.T) {
	t.Parallel()
	policy, _ := open(t, oldPolicy)
	for text, want := range map[string]string{
		"\x1f\x8b\x08 and so on\n":  "it is compressed by gzip",
		strings.Repeat("a", 65<<20): "a line is longer than 64 MiB",
	} {
		file := filepath.Join(t.TempDir(), "log")
		must(t, os.WriteFile(file, []byte(text), 0o600))
		if _, err := replay.Run(t.Context(), []string{file}, replay.Settings{New: policy}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}
