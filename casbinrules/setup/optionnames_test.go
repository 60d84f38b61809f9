package setup

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// optionNames finds options in texts for people.
var optionNames = regexp.MustCompile(`\bWith(?:out)?[A-Z]\w*`)

// otherKeys are the keys of options that are not called like them.
var otherKeys = map[string]string{
	"WithEmptyPolicy": "empty", "WithAnonymous": "anonymous", "WithoutTokenRoles": "token_roles",
	"WithRouteAsObject": "route_as_object", "WithRoots": "ca", "WithProxyVerification": "proxy_verifies",
	"WithoutAudience": "any_audience", "WithMoreAlgorithms": "more_algorithms", "WithPlainHTTP": "plain_http",
	"WithRSAAlgorithm": "rsa_algorithm", "WithIDPrefix": "id_prefix", "WithoutClients": "clients",
	"WithClientsAsUsers": "clients", "WithDevelopmentKeysAnywhere": "development",
	"WithPlainHTTPForDevelopment": "plain_http_for_development", "WithStrictSameSite": "strict_same_site",
}

// unreachable are errors that a file cannot cause: Open checks before.
var unreachable = []string{
	"no audience: name it", "both WithAudience", "give FollowFile the option", "which other rules and handlers would not see",
	"cannot be added to the enforcer's policy", "the signer has no audience", "no audience: name it in the token",
	"WithIssuerTemplate or", "WithPersistentCookie require WithCookies", "exposes the credentials on the network",
	"requires WithCounts", "WithCounts requires", "both WithIssuer", "for logout tokens", "cannot be added to its policy",
}

// TestTextsNameTheKeyBesideTheOption: an error or a finding that names an option of
// Go which a file can set names its key too, for those who have only the file.
func TestTextsNameTheKeyBesideTheOption(t *testing.T) {
	t.Parallel()
	all := keyPaths("", reflect.TypeFor[config]())
	for i, path := range all {
		all[i] = path[strings.LastIndex(path, ".")+1:]
	}
	boundary := regexp.MustCompile(`([a-z])([A-Z])`)
	seen := 0
	for _, root := range []string{"../../core", ".."} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (strings.HasSuffix(path, "test") || d.Name() == "authclient" || d.Name() == "cmd" || d.Name() == "setup"):
				return fs.SkipDir
			case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			file, err := parser.ParseFile(gotoken.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				text, ok := n.(*ast.BasicLit)
				if !ok || text.Kind != gotoken.STRING || !strings.Contains(text.Value, " ") ||
					slices.ContainsFunc(unreachable, func(s string) bool { return strings.Contains(text.Value, s) }) {
					return true
				}
				for _, option := range optionNames.FindAllString(text.Value, -1) {
					key := otherKeys[option]
					if key == "" {
						key = strings.ToLower(boundary.ReplaceAllString(strings.TrimPrefix(option, "With"), "${1}_$2"))
					}
					if !slices.Contains(all, key) {
						continue
					}
					seen++
					if !strings.Contains(strings.ReplaceAll(optionNames.ReplaceAllString(text.Value, ""), "-", "_"), key) {
						t.Errorf("%s: %s names %s and not its key %s", path, text.Value, option, key)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 10 {
		t.Errorf("only %d options are named in all texts", seen)
	}
}
