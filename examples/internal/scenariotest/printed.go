package scenariotest

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/examples/shared/programs"
)

// printedLines pastes every printed line into a shell and compares the
// status with the one announced above it.
func printedLines(t *testing.T, build Build) {
	url, printed := Start(t, build, "-addr", "127.0.0.1:0")
	shell := programs.Need(t, "sh")
	programs.Need(t, "curl")
	found := regexp.MustCompile(`(?m)^(.*) answers (\d+)\n(curl .*)$`).FindAllStringSubmatch(printed, -1)
	for _, m := range found {
		about, status, line := m[1], m[2], m[3]
		if !strings.Contains(line, url) {
			t.Errorf("%s: %s does not ask %s", about, line, url)
		}
		cmd := exec.CommandContext(t.Context(), shell, "-c", line)
		cmd.Env = append(os.Environ(), "NO_PROXY=*", "no_proxy=*")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if !strings.HasPrefix(string(out), "HTTP/1.1 "+status+" ") {
			t.Errorf("%s: want %s, got:\n%s", about, status, out)
		}
	}
	for _, name := range []string{"Nobody", "alice,", "erin,", "victor,", "sam,", "pam,"} {
		if !strings.Contains(printed, "\n"+name) && !strings.HasPrefix(printed, name) {
			t.Errorf("no line for %s", name)
		}
	}
	if lines := strings.Count(printed, "curl "); len(found) != lines {
		t.Errorf("%d of %d lines say what to expect:\n%s", len(found), lines, printed)
	}
}
