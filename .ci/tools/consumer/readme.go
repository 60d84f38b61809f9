package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/ci/tools/internal/modules"
)

// fence finds the Go blocks of a page.
var fence = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// listens is where the programs of the README listen.
const listens = "127.0.0.1:8080"

// readme builds the first program of the README as somebody does who copies it
// into an empty folder, starts it and sends it a request without a token.
func (u *user) readme(page, version string) error {
	dir, err := os.MkdirTemp(u.home, "readme-")
	if err != nil {
		return err
	}
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	addr, err := unused()
	if err != nil {
		return err
	}
	files, imports := program(string(text), addr)
	if len(imports) == 0 {
		return fmt.Errorf("%s: no program found that listens at %s and imports a module", page, listens)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	get := []string{"get"}
	for _, path := range imports {
		get = append(get, path+"@"+version)
	}
	for _, args := range [][]string{{"mod", "init", "app.example/app"}, get, {"mod", "tidy"}, {"build", "-o", "app.exe", "."}} {
		if _, err := u.run(dir, args...); err != nil {
			return err
		}
	}
	return ask(dir, addr)
}

// program is the files of the first program that listens, up to the block with
// its main function, and the packages of this project that they import.
func program(text, addr string) (files map[string]string, imports []string) {
	files = map[string]string{
		"policy.csv": "p, role:reader, /reports/:id, GET, allow\n",
		// The public key of RFC 7517, appendix A.1.
		"jwks.json": `{"keys":[{"kty":"EC","crv":"P-256","kid":"1","use":"sig","alg":"ES256",` +
			`"x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}`,
	}
	imported := regexp.MustCompile(`(?m)^\t"(` + regexp.QuoteMeta(modules.Prefix) + `[^"]+)"$`)
	for i, block := range fence.FindAllStringSubmatch(text, -1) {
		source := block[1]
		if !strings.HasPrefix(source, "package main\n") {
			continue
		}
		for _, m := range imported.FindAllStringSubmatch(source, -1) {
			imports = append(imports, m[1])
		}
		files[fmt.Sprintf("file%d.go", i)] = strings.ReplaceAll(source, listens, addr)
		if strings.Contains(source, listens) {
			return files, imports
		}
	}
	return nil, nil
}

// ask starts the program and sends it a request without a token.
func ask(dir, addr string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var printed bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "app.exe"))
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &printed, &printed
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		resp, err := http.Get("http://" + addr + "/reports/7")
		if err == nil {
			_ = resp.Body.Close() // only its head matters
			cancel()
			<-ended
			if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") == "" {
				return fmt.Errorf("a request without a token got %s, challenge %q", resp.Status, resp.Header.Get("WWW-Authenticate"))
			}
			return nil
		}
		select {
		case err := <-ended:
			return fmt.Errorf("it does not listen: %w: %s", err, &printed)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// unused is an address at which nobody listens.
func unused() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
