package policyfile

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
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/starter"
)

// OpenSide loads one side of a comparison: a policy file, a directory with one, or
// a revision of the policy in its git repository.
func (s Source) OpenSide(which, side string) (*ask.Policy, error) {
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

func (s Source) openPath(path string) (*ask.Policy, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() && len(s.Policies) > 0 {
		// The same files in another directory.
		var there []string
		for _, p := range s.Policies {
			file := PlainPath(p)
			there = append(there, filepath.Join(path, filepath.Base(file))+p[len(file):])
		}
		s.Policies = there
	} else {
		s.Policies = []string{path}
	}
	return s.Open("")
}

// openRevision loads a revision of the policy.
func (s Source) openRevision(revision string) (*ask.Policy, error) {
	repo, err := git.Open(FolderOf(s.Files()[0]))
	if err != nil {
		return nil, fmt.Errorf("there is no file %s, and %w", revision, err)
	}
	commit, err := repo.Commit(revision)
	if err != nil {
		return nil, err
	}
	a, err := s.OpenCommit(repo, commit)
	if err != nil {
		return nil, fmt.Errorf("revision %s: %w", revision, err)
	}
	return a, nil
}

// Files returns the policy files and directories in question.
func (s *Source) Files() []string {
	if len(s.Policies) == 0 {
		return []string{PolicyName}
	}
	return slices.Clone(s.Policies)
}

// OpenCommit loads model and policy of a commit, with the paths of today.
func (s *Source) OpenCommit(repo *git.Repository, commit string) (*ask.Policy, error) {
	var policies []string
	keys := map[string][]string{}
	given, keysOf := SplitManifests(s.Files())
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
	model, names, err := s.ModelIn(repo)
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
			return nil, fmt.Errorf("there is no model %s in it: say with -m which model it is for, or one of %s", name, PresetNames)
		}
	}
	opts, err := s.LoadOptions()
	if err != nil {
		return nil, err
	}
	return s.openManifests(&manifests{base: files, keys: keys}, model, policies, opts)
}

// ModelIn returns the model of a policy in a repository, with the names of its
// files there: none for a preset, or a file outside of the repository.
func (s Source) ModelIn(repo *git.Repository) (m casbinrules.Model, names []string, err error) {
	if preset := starter.Presets[s.Model]; preset != nil {
		return preset(), nil, nil
	}
	file := cmp.Or(s.Model, filepath.Join(FolderOf(s.Files()[0]), ModelName))
	name, err := repo.Name(file)
	if errors.Is(err, git.ErrOutside) && s.Model != "" {
		m, err = s.findModel("")
		return m, nil, err
	}
	return casbinrules.ModelFile(name), []string{name}, err
}

// OpenBoth loads two policies, each with the model beside it if none is given. An
// attribute may belong to either model.
func (s Source) OpenBoth(before, after string) (old, now *ask.Policy, err error) {
	var models [2]casbinrules.Model
	var files [2][]string
	sides := [...]string{"old", "new"}
	for i, path := range []string{before, after} {
		s.Policies, s.given = []string{path}, [...]string{"the first argument", "the second argument"}[i]
		if models[i], files[i], err = s.Find(""); err != nil {
			return nil, nil, fmt.Errorf("%s policy: %w", sides[i], err)
		}
	}
	if err := s.CheckAttributes(models[:]...); err != nil {
		return nil, nil, err
	}
	var loaded [2]*ask.Policy
	for i := range sides {
		if loaded[i], err = s.Load(models[i], files[i]); err != nil {
			return nil, nil, fmt.Errorf("%s policy: %w", sides[i], err)
		}
	}
	return loaded[0], loaded[1], nil
}
