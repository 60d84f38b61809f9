//go:build unix

package redis

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/redis"
)

var policyBlocks = regexp.MustCompile("(?ms)^```yaml sallyport-policy-redis\n(.*?)^```$")

// TestPolicyFromRedis opens the file on the page with a policy in a store.
func TestPolicyFromRedis(t *testing.T) {
	addr, _ := server(t, "")
	t.Setenv("POLICY_REDIS", "redis://"+addr)
	store, err := redis.New("redis://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	_, err = store.Publish(t.Context(), source.Publication{Note: source.Note{Author: "ann"}, Files: []source.File{
		{Name: "model.conf", Content: []byte(casbinrules.RBAC().Text())}, {Name: "policy.csv", Content: []byte("p, ann, /reports, GET\n")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	block := policyBlocks.FindSubmatch(page)
	if block == nil {
		t.Fatal("the page shows no file")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"s.yaml": string(block[1]), "users.htpasswd": "ann:$2a$10$KZ5kDTJu4kBdbkvCBVzwJOZGXk7XQFV7nVrv3BtRNIqEuVdvJJ9Hu\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := setup.Open(filepath.Join(dir, "s.yaml"), setup.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	if v := s.Policy().Version(); v.Revision != "1" || v.Rules != 1 {
		t.Errorf("%+v", v)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
