package observability

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/examples/shared/programs"
)

// docs is where the rules are.
const docs = "../../../docs/observability"

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docs, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRules runs the made-up bursts of docs/observability/rules_test.yml: each
// fires its alert and no other.
func TestRules(t *testing.T) {
	t.Parallel()
	promtool := programs.Need(t, "promtool")
	for _, args := range [][]string{{"check", "rules", "rules.yml"}, {"test", "rules", "rules_test.yml"}} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = docs
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// TestEachAlertHasItsSection: what an alert links is there, and each alert has a
// burst of its own in the tests.
func TestEachAlertHasItsSection(t *testing.T) {
	t.Parallel()
	rules, page, tests := read(t, "rules.yml"), read(t, "README.md"), read(t, "rules_test.yml")
	alerts := regexp.MustCompile(`(?m)^      - alert: (\w+)$`).FindAllStringSubmatch(rules, -1)
	if len(alerts) < 9 {
		t.Fatalf("only %d alerts found", len(alerts))
	}
	for _, a := range alerts {
		link := "https://github.com/sallyport-go/sallyport/blob/main/docs/observability/README.md#" + strings.ToLower(a[1]) + "\n"
		if !strings.Contains(rules, link) {
			t.Errorf("%s does not link its section %s", a[1], link)
		}
		if !strings.Contains(page, "\n## "+a[1]+"\n") {
			t.Errorf("README.md has no section %s", a[1])
		}
		if !strings.Contains(tests, `alertname="`+a[1]+`"`) {
			t.Errorf("rules_test.yml fires no %s", a[1])
		}
	}
}
