package cli

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// openSide loads one side of a comparison: a policy file or a directory with one,
// or a revision of the policy in the git repository that it is in.
func (s source) openSide(which, side string) (*casbinrules.Authorizer, error) {
	_, err := os.Stat(side)
	if err == nil || strings.ContainsAny(side, `\`) || strings.HasSuffix(side, ".csv") {
		return s.openPath(which, side)
	}
	a, err := s.openRevision(side)
	if err != nil {
		return nil, fmt.Errorf("%s policy: %w", which, err)
	}
	return a, nil
}

func (s source) openPath(which, path string) (*casbinrules.Authorizer, error) {
	s.given = "--" + which
	if info, err := os.Stat(path); err == nil && info.IsDir() && len(s.policies) > 0 {
		// The same files in another directory.
		var there []string
		for _, p := range s.policies {
			there = append(there, filepath.Join(path, filepath.Base(p)))
		}
		s.policies = there
	} else {
		s.policies = []string{path}
	}
	a, err := s.open("")
	if err != nil {
		return nil, fmt.Errorf("%s policy: %w", which, err)
	}
	return a, nil
}

// openRevision loads the policy as it was in a revision.
func (s source) openRevision(revision string) (*casbinrules.Authorizer, error) {
	policies := slices.Clone(s.policies)
	if len(policies) == 0 {
		policies = []string{policyName}
	}
	dir := filepath.Dir(policies[0])
	for i, p := range policies {
		if filepath.Dir(p) != dir {
			return nil, fmt.Errorf("revision %s: the policy files are in several directories: give --old and --new a directory each", revision)
		}
		policies[i] = filepath.Base(p)
	}
	files, err := revisionFiles(dir, revision)
	if err != nil {
		return nil, err
	}
	m, err := s.revisionModel(dir, revision, files)
	if err != nil {
		return nil, err
	}
	opts, err := s.options()
	if err != nil {
		return nil, err
	}
	a, err := casbinrules.OpenFS(files, m, policies, opts...)
	if err != nil {
		return nil, fmt.Errorf("revision %s: %w", revision, err)
	}
	return a, nil
}

// revisionModel is the model of a revision: a preset, or a file beside the policy.
func (s source) revisionModel(dir, revision string, files fs.FS) (casbinrules.Model, error) {
	if preset := presets[s.model]; preset != nil {
		return preset(), nil
	}
	name := modelName
	if s.model != "" {
		if filepath.Dir(s.model) != dir {
			return s.findModel("") // which no revision of the policy has
		}
		name = filepath.Base(s.model)
	}
	if _, err := fs.Stat(files, name); err != nil {
		return casbinrules.Model{}, fmt.Errorf("revision %s has no %s beside the policy: say with -m which model it is for, or one of %s", revision, name, presetNames)
	}
	return casbinrules.ModelFile(name), nil
}

// revisionFiles are the files of a directory as they were in a revision of the git
// repository that it is in.
func revisionFiles(dir, revision string) (fs.FS, error) {
	if strings.HasPrefix(revision, "-") || revision == "" {
		return nil, usagef("%q is neither a file nor a revision", revision)
	}
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, fmt.Errorf("there is no file %s, and a revision needs the program git: %w", revision, err)
	}
	// With a path, git takes that directory's tree, whatever the names in it.
	cmd := exec.Command(git, "-C", dir, "archive", "--format=zip", revision+":./")
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		if _, ok := errors.AsType[*exec.ExitError](err); !ok {
			return nil, err
		}
		return nil, fmt.Errorf("%s is neither a file nor a revision of the policy in %s: git says: %s", revision, dir, strings.TrimSpace(stderr.String()))
	}
	files, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		return nil, fmt.Errorf("revision %s: %w", revision, err)
	}
	return files, nil
}
