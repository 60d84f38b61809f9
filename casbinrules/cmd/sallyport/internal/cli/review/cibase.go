package review

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/git"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
)

// namedCommit is a commit and the name by which it was given.
type namedCommit struct {
	Revision string `json:"revision"`
	Commit   string `json:"commit"`
}

// ciBase is what a policy is compared with.
type ciBase struct {
	policyfile.Source
	named namedCommit
	repo  *git.Repository
}

// openBase finds the base, without reading its content yet.
func (c *ciRun) openBase() (*ciBase, error) {
	repo, err := git.Open(policyfile.FolderOf(cmp.Or(c.Config, c.Files()[0])))
	if err != nil {
		return nil, fmt.Errorf("nothing to compare with: %w; with --without-diff nothing is compared", err)
	}
	b := &ciBase{Source: c.flagged, repo: repo, named: namedCommit{Revision: c.base}}
	b.Config = c.Config
	if c.base != "" {
		b.named.Commit, err = repo.Commit(c.base)
		return b, err
	}
	branch, err := repo.DefaultBranch()
	if err == nil {
		b.named.Revision = "the merge base with " + branch
		b.named.Commit, err = repo.MergeBase(branch)
	}
	if err != nil {
		return nil, fmt.Errorf("nothing to compare with: %w; name a revision with --base and fetch it, or give --without-diff", err)
	}
	return b, nil
}

// open opens the policy as it was, with the options of its configuration at that time.
func (b *ciBase) open() (*ask.Policy, error) {
	if b.Config != "" {
		name, err := b.repo.Name(b.Config)
		if err != nil {
			return nil, err
		}
		text, err := b.repo.Text(b.named.Commit, name)
		if err != nil {
			return nil, fmt.Errorf("the base has no %s: %w", name, err)
		}
		if err := b.Take(b.Config, text); err != nil {
			return nil, fmt.Errorf("the base: %w", err)
		}
	}
	a, err := b.OpenCommit(b.repo, b.named.Commit)
	if refused, ok := errors.AsType[*casbinrules.FindingsError](err); ok {
		return nil, fmt.Errorf("the policy of the base is refused: %w", refused)
	}
	if err != nil {
		return nil, fmt.Errorf("the base: %w", err)
	}
	return a, nil
}

// hasChanged returns an error if the base is HEAD itself and no file of the policy
// has been edited since: such a comparison finds nothing, whatever was merged.
func (c *ciRun) hasChanged(b *ciBase) error {
	head, err := b.repo.Commit("HEAD")
	if err != nil || head != b.named.Commit {
		return err
	}
	_, names, err := c.ModelIn(b.repo)
	if err != nil {
		return err
	}
	files, _ := policyfile.SplitManifests(c.Files())
	if c.Config != "" {
		files = append(files, c.Config)
	}
	for _, file := range files {
		name, err := b.repo.Name(file)
		if err != nil {
			return err
		}
		names = append(names, name)
	}
	edited, err := b.repo.Edited(names)
	if err != nil || edited {
		return err
	}
	return errors.New("the base is HEAD itself, and no file of the policy has been edited since: name the revision before the change with --base")
}
