package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/git"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/manifest"
)

// openSide loads one side of a comparison: a policy file, a directory with one, or
// a revision of the policy in its git repository.
func (s source) openSide(which, side string) (*ask.Policy, error) {
	open := s.openRevision
	_, err := os.Stat(side)
	_, _, isManifest := manifest.Split(side)
	if err == nil || isManifest || strings.ContainsAny(side, `\`) || strings.HasSuffix(side, ".csv") {
		s.given = "--" + which
		open = s.openPath
	}
	a, err := open(side)
	if err != nil {
		return nil, fmt.Errorf("%s policy: %w", which, err)
	}
	return a, nil
}

func (s source) openPath(path string) (*ask.Policy, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() && len(s.policies) > 0 {
		// The same files in another directory.
		var there []string
		for _, p := range s.policies {
			file := plainPath(p)
			there = append(there, filepath.Join(path, filepath.Base(file))+p[len(file):])
		}
		s.policies = there
	} else {
		s.policies = []string{path}
	}
	return s.open("")
}

// openRevision loads a revision of the policy.
func (s source) openRevision(revision string) (*ask.Policy, error) {
	repo, err := git.Open(folderOf(s.files()[0]))
	if err != nil {
		return nil, fmt.Errorf("there is no file %s, and %w", revision, err)
	}
	commit, err := repo.Commit(revision)
	if err != nil {
		return nil, err
	}
	a, err := s.openCommit(repo, commit)
	if err != nil {
		return nil, fmt.Errorf("revision %s: %w", revision, err)
	}
	return a, nil
}

// files returns the policy files and directories in question.
func (s *source) files() []string {
	if len(s.policies) == 0 {
		return []string{policyName}
	}
	return slices.Clone(s.policies)
}

// openCommit loads model and policy of a commit, with the paths of today.
func (s *source) openCommit(repo *git.Repository, commit string) (*ask.Policy, error) {
	var policies []string
	keys := map[string][]string{}
	given, keysOf := splitManifests(s.files())
	for _, p := range given {
		name, err := repo.Name(p)
		if err != nil {
			return nil, err
		}
		policies = append(policies, name)
		if k := keysOf[p]; k != nil {
			keys[name] = k
		}
	}
	model, names, err := s.modelIn(repo)
	if err != nil {
		return nil, err
	}
	files, err := repo.Files(commit, append(names, policies...))
	if err != nil {
		return nil, err
	}
	for _, name := range policies {
		if _, err := fs.Stat(files, name); err != nil {
			return nil, fmt.Errorf("there is no %s in it", name)
		}
	}
	for _, name := range names {
		if _, err := fs.Stat(files, name); err != nil {
			return nil, fmt.Errorf("there is no model %s in it: say with -m which model it is for, or one of %s", name, presetNames)
		}
	}
	opts, err := s.options()
	if err != nil {
		return nil, err
	}
	return s.openManifests(&manifests{base: files, keys: keys}, model, policies, opts)
}

// modelIn returns the model of a policy in a repository, with the names of its
// files there: none for a preset, or a file outside of the repository.
func (s source) modelIn(repo *git.Repository) (m casbinrules.Model, names []string, err error) {
	if preset := presets[s.model]; preset != nil {
		return preset(), nil, nil
	}
	file := cmp.Or(s.model, filepath.Join(folderOf(s.files()[0]), modelName))
	name, err := repo.Name(file)
	if errors.Is(err, git.ErrOutside) && s.model != "" {
		m, err = s.findModel("")
		return m, nil, err
	}
	return casbinrules.ModelFile(name), []string{name}, err
}

// folderOf returns the directory that a policy is or that it is in.
func folderOf(policy string) string {
	policy = plainPath(policy)
	if info, err := os.Stat(policy); err == nil && info.IsDir() {
		return policy
	}
	return filepath.Dir(policy)
}

// testsBeside returns the *.tests files in the directories of policies, each once.
func testsBeside(policies []string) ([]string, error) {
	var folders, files []string
	for _, p := range policies {
		folder := filepath.Clean(folderOf(p))
		if slices.Contains(folders, folder) {
			continue
		}
		folders = append(folders, folder)
		inside, err := filesIn(folder, ".tests")
		if err != nil {
			return nil, fmt.Errorf("look for tests: %w", err)
		}
		files = append(files, inside...)
	}
	return files, nil
}

// filesIn returns the files in a directory whose names end with suffix, sorted.
// Names are not patterns, and may contain anything. The suffix in other letters is an
// error: such a file would be left out without a word.
func filesIn(folder, suffix string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		switch file := filepath.Join(folder, e.Name()); {
		case e.IsDir() || e.Name()[0] == '.' || !strings.HasSuffix(strings.ToLower(e.Name()), suffix):
		case !strings.HasSuffix(e.Name(), suffix):
			return nil, fmt.Errorf("%s: only names that end in %s are read, in these letters: rename it or remove it", file, suffix)
		default:
			files = append(files, file)
		}
	}
	return files, nil
}
