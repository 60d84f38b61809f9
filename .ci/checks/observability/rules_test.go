package observability

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

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

// rule is one of rules.yml.
type rule struct {
	Alert, Record, Expr string
	Annotations         map[string]string
}

func rulesOf(t *testing.T) (all []rule) {
	t.Helper()
	var file struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal([]byte(read(t, "rules.yml")), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

var metricName = regexp.MustCompile(`sallyport(_\w+|:[\w:]+)`)

// metricsOf are the metrics that an expression asks for, those of recorded ones
// included.
func metricsOf(expr string, recorded map[string]string) map[string]bool {
	all := map[string]bool{}
	for _, name := range metricName.FindAllString(expr, -1) {
		if of, ok := recorded[name]; ok {
			maps.Copy(all, metricsOf(of, recorded))
		} else if strings.HasSuffix(name, "_total") || strings.HasSuffix(name, "_seconds") || strings.HasSuffix(name, "_info") || strings.HasSuffix(name, "_keys") {
			all[name] = true // and no label
		}
	}
	return all
}

// TestEachAlertHasAllThatBelongsToIt: the section of the runbook that it links, a burst
// of its own in the tests, a row in the table of the runbook, and a panel that links
// that section and shows a metric of the alert. That the doctor has a verdict for each
// is tested beside the doctor.
func TestEachAlertHasAllThatBelongsToIt(t *testing.T) {
	t.Parallel()
	page, tests := read(t, "README.md"), read(t, "rules_test.yml")
	recorded, alerts := map[string]string{}, map[string]rule{}
	for _, r := range rulesOf(t) {
		if r.Alert != "" {
			alerts[r.Alert] = r
		} else {
			recorded[r.Record] = r.Expr
		}
	}
	if len(alerts) < 11 {
		t.Fatalf("only %d alerts found", len(alerts))
	}
	panels := linkedPanels(t)
	for name, a := range alerts {
		section := "#" + strings.ToLower(name)
		link := "https://github.com/sallyport-go/sallyport/blob/main/docs/observability/README.md" + section
		if a.Annotations["runbook_url"] != link {
			t.Errorf("%s links %s, not its section %s", name, a.Annotations["runbook_url"], link)
		}
		if !strings.Contains(page, "\n## "+name+"\n") || !strings.Contains(page, "["+name+"]("+section+")") {
			t.Errorf("README.md has no section %s, or no row in its table", name)
		}
		if !strings.Contains(tests, `alertname="`+name+`"`) {
			t.Errorf("rules_test.yml fires no %s", name)
		}
		wanted, shown := metricsOf(a.Expr, recorded), map[string]bool{}
		for _, expr := range panels[link] {
			for metric := range metricsOf(expr, recorded) {
				shown[metric] = shown[metric] || wanted[metric]
			}
		}
		if !slices.Contains(slices.Collect(maps.Values(shown)), true) {
			t.Errorf("no panel links %s and shows one of %v", link, slices.Sorted(maps.Keys(wanted)))
		}
		delete(panels, link)
	}
	for link := range panels {
		t.Errorf("a panel links %s, which is the section of no alert", link)
	}
	for _, section := range regexp.MustCompile(`(?m)^## (Sallyport\w+)$`).FindAllStringSubmatch(page, -1) {
		if _, ok := alerts[section[1]]; !ok {
			t.Errorf("README.md has a section %s, and there is no such alert", section[1])
		}
	}
}
