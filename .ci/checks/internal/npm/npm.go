// Package npm installs what the scripts of a test import.
package npm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/shared/programs"
)

// Install gives a folder with the scripts of the test's own folder, and with the
// packages of its package-lock.json, which stay installed for the next run. The
// test is skipped with -short and where there is no npm, and fails without it in
// continuous integration.
func Install(t testing.TB, scripts ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("not run: it installs packages from npm, and -short is given")
	}
	program := programs.Need(t, "npm")
	programs.Need(t, "node")
	own, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(lock)
	dir, err := filepath.Abs(filepath.Join("..", "..", "..", ".build", filepath.Base(own), hex.EncodeToString(sum[:8])))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range append([]string{"package.json", "package-lock.json"}, scripts...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	installed := filepath.Join(dir, "installed")
	if _, err := os.Stat(installed); err == nil {
		return dir
	}
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(5*time.Minute))
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("npm ci: %v\n%s", err, out)
		}
		t.Skipf("not run: npm ci: %v\n%s", err, out)
	}
	if err := os.WriteFile(installed, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}
