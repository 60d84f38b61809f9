package cli

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/effect"
	"github.com/sallyport-go/sallyport/casbinrules/setup"
)

// namedCommit is a commit and how it was called.
type namedCommit struct {
	Revision string `json:"revision"`
	Commit   string `json:"commit"`
}

// ciBase is what a policy is compared with.
type ciBase struct {
	source
	named namedCommit
	repo  *repository
	// config is the configuration file with the policy, "" for none.
	config string
}

// openBase finds the base. What it holds is not looked at yet.
func (c *ciRun) openBase() (*ciBase, error) {
	repo, err := openRepository(folderOf(cmp.Or(c.config, c.files()[0])))
	if err != nil {
		return nil, fmt.Errorf("nothing to compare with: %w; with --without-diff nothing is compared", err)
	}
	b := &ciBase{source: c.flagged, repo: repo, config: c.config, named: namedCommit{Revision: c.base}}
	if c.base != "" {
		b.named.Commit, err = repo.commit(c.base)
		return b, err
	}
	branch, err := repo.defaultBranch()
	if err == nil {
		b.named.Revision = "the merge base with " + branch
		b.named.Commit, err = repo.mergeBase(branch)
	}
	if err != nil {
		return nil, fmt.Errorf("nothing to compare with: %w; name a revision with --base and fetch it, or give --without-diff", err)
	}
	return b, nil
}

// open opens the policy as it was, with the options that its configuration had.
func (b *ciBase) open() (*casbinrules.Authorizer, error) {
	if b.config != "" {
		name, err := b.repo.name(b.config)
		if err != nil {
			return nil, err
		}
		text, err := b.repo.text(b.named.Commit, name)
		if err != nil {
			return nil, fmt.Errorf("the base has no %s: %w", name, err)
		}
		if err := b.take(b.config, text); err != nil {
			return nil, fmt.Errorf("the base: %w", err)
		}
	}
	a, err := b.openCommit(b.repo, b.named.Commit)
	if refused, ok := errors.AsType[*casbinrules.FindingsError](err); ok {
		return nil, fmt.Errorf("the policy of the base is refused: %w", refused)
	}
	if err != nil {
		return nil, fmt.Errorf("the base: %w", err)
	}
	return a, nil
}

func tooLarge(err error) bool {
	_, ok := errors.AsType[*effect.TooLargeError](err)
	return ok
}

// take takes the policy and its options from a configuration file.
func (s *source) take(file string, text []byte) error {
	p, err := setup.ParsePolicy(file, text)
	if err != nil {
		return err
	}
	s.model, s.policies, s.given = p.Model, nil, file
	for _, name := range p.Files {
		s.policies = append(s.policies, filepath.Clean(name))
	}
	s.attributes, s.functions = slices.Clone(s.attributes), slices.Clone(s.functions)
	s.asCasbin = s.asCasbin || p.CasbinSemantics
	s.anonymous = s.anonymous || p.Anonymous
	s.allowEmpty = s.allowEmpty || p.Empty
	s.noRoles = s.noRoles || !p.TokenRoles
	s.byRoute = s.byRoute || p.RoutesAsObjects
	s.prefix = cmp.Or(s.prefix, p.RolePrefix)
	for _, field := range slices.Sorted(maps.Keys(p.AttributeTypes)) {
		if err := s.attributes.Set(field + "=" + p.AttributeTypes[field]); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Functions)) {
		s.functions = append(s.functions, name+"="+p.Functions[name])
	}
	s.rolePatterns, s.tenantPatterns = slices.Clone(s.rolePatterns), slices.Concat(s.tenantPatterns, p.TenantPatterns)
	for _, kind := range slices.Sorted(maps.Keys(p.RolePatterns)) {
		s.rolePatterns = append(s.rolePatterns, kind+"="+p.RolePatterns[kind])
	}
	return nil
}
