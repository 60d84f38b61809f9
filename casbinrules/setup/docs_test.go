package setup

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/setup/internal/decode"
	"github.com/sallyport-go/sallyport/core"
)

const page = "../../docs/configuration.md"

func pageText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDocumentedKeys: the page has a table of the keys of each section, as the
// code has them.
func TestDocumentedKeys(t *testing.T) {
	t.Parallel()
	text := pageText(t, page)
	seen := map[reflect.Type]bool{}
	var check func(section string, of reflect.Type)
	check = func(section string, of reflect.Type) {
		if seen[of] {
			return
		}
		seen[of] = true
		if want := keyTable(of); !strings.Contains(text, want) {
			t.Errorf("%s lacks the table of %s:\n%s", page, section, want)
		}
		for _, k := range decode.Describe(of) {
			if k.Section != nil && k.Name != "issuers" { // those are the keys of one
				check(strings.TrimPrefix(section+"."+k.Name, "."), k.Section)
			}
		}
	}
	check("", reflect.TypeFor[config]())
}

// keyTable is the table of the keys of a section.
func keyTable(of reflect.Type) string {
	var b strings.Builder
	b.WriteString("| key | value | default | meaning |\n|---|---|---|---|\n")
	for _, k := range decode.Describe(of) {
		fallback := ""
		if k.Default != "" {
			fallback = "`" + k.Default + "`"
		}
		if k.Required {
			fallback = "required"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.Name, k.Value, fallback, k.Doc)
	}
	return b.String() + "\n"
}

var blocks = regexp.MustCompile("(?ms)^```yaml sallyport\n(.*?)^```$")

// storeBlocks are files with kinds of other packages, which open them.
var storeBlocks = regexp.MustCompile("(?ms)^```yaml sallyport-(?:state-postgres|redis|postgres|policy-http|oidc|attempts-redis)\n(.*?)^```$")

// TestDocumentedFiles opens each configuration file that a page shows.
func TestDocumentedFiles(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range variables {
		t.Setenv(name, value)
	}
	count := 0
	for _, name := range slices.Concat(pages, []string{"../../README.md"}) {
		for _, block := range blocks.FindAllStringSubmatch(pageText(t, name), -1) {
			count++
			t.Run(fmt.Sprintf("%s %d", filepath.Base(name), count), func(t *testing.T) { open(t, block[1]) })
		}
	}
	if count < 2 {
		t.Errorf("%d files found", count)
	}
}

// limits are durations, sizes and numbers of a file.
var limits = regexp.MustCompile(`\b(\w+): \d+(ms|s|m|h|KiB|MiB|)(?:[,}\n])`)

// TestNoLimitIsZero: a limit of 0 is refused, and never means none, except where the page
// says so.
func TestNoLimitIsZero(t *testing.T) {
	for name, value := range variables {
		t.Setenv(name, value)
	}
	count := 0
	for _, block := range blocks.FindAllStringSubmatch(pageText(t, page), -1) {
		text := block[1]
		for _, at := range limits.FindAllStringSubmatchIndex(text, -1) {
			key, unit := text[at[2]:at[3]], text[at[4]:at[5]]
			if slices.Contains([]string{"leeway", "cache_ttl", "allowed_percent"}, key) {
				continue
			}
			count++
			zero := "0" + strings.NewReplacer("m", "s", "h", "s").Replace(strings.TrimSuffix(unit, "s"))
			t.Run(fmt.Sprintf("%s %d", key, count), func(t *testing.T) {
				s, err := Open(configFile(t, text[:at[3]]+": "+zero+text[at[1]-1:]), quiet())
				if err == nil {
					t.Errorf("%s: %s is accepted", key, zero)
					_ = s.Close()
				}
			})
		}
	}
	if count < 20 {
		t.Errorf("%d limits found", count)
	}
}

// TestEveryKeyIsShown: each key stands in a file on the page, which is opened.
func TestEveryKeyIsShown(t *testing.T) {
	t.Parallel()
	var shown strings.Builder
	for _, block := range blocks.FindAllStringSubmatch(pageText(t, page), -1) {
		shown.WriteString(block[1])
	}
	for _, block := range storeBlocks.FindAllStringSubmatch(pageText(t, page), -1) {
		shown.WriteString(block[1])
	}
	var check func(of reflect.Type)
	check = func(of reflect.Type) {
		for _, k := range decode.Describe(of) {
			if !regexp.MustCompile(`(?m)(^|[ {])` + k.Name + `:( |$)`).MatchString(shown.String()) {
				t.Errorf("no file on %s shows %s", page, k.Name)
			}
			if k.Section != nil && k.Name != "issuers" {
				check(k.Section)
			}
		}
	}
	check(reflect.TypeFor[config]())
}

// counted is what the kind counter has seen.
var counted atomic.Int64

func init() {
	RegisterObserver("counter", func(*struct {
		Prefix string `key:"prefix" default:"access" doc:"what the names of counters begin with"`
	}) (core.Observer, func() error, error) {
		return core.ObserverFunc(func(context.Context, core.Event) { counted.Add(1) }), nil, nil
	})
}

// variables are those that files on the pages name.
var variables = map[string]string{
	"INTROSPECTION_SECRET": "not told",
	"NONCE_KEY":            "0123456789abcdef0123456789abcdef",
}
