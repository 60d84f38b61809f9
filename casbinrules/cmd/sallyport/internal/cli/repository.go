package cli

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// repository is the git repository that a policy is in.
type repository struct{ program, dir, top string }

// openRepository finds the repository that a directory is in.
func openRepository(dir string) (*repository, error) {
	program, err := exec.LookPath("git")
	if err != nil {
		return nil, fmt.Errorf("a revision needs the program git: %w", err)
	}
	r := &repository{program: program, dir: dir, top: dir}
	top, err := r.git("rev-parse", "--show-toplevel")
	if err != nil {
		return nil, fmt.Errorf("%s is in no git repository: %w", dir, err)
	}
	r.top = filepath.FromSlash(strings.TrimSuffix(string(top), "\n"))
	return r, nil
}

// git runs git in the top directory. What it says is in the error.
func (r *repository) git(args ...string) ([]byte, error) {
	cmd := exec.Command(r.program, append([]string{"--literal-pathspecs", "-C", r.top}, args...)...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("git says: %s", oneLine(errors.New(strings.TrimSpace(stderr.String()))))
	}
	return out.Bytes(), err
}

// commit is the hash of a revision's commit.
func (r *repository) commit(revision string) (string, error) {
	if strings.HasPrefix(revision, "-") || revision == "" {
		return "", usagef("%q is neither a file nor a revision", revision)
	}
	hash, err := r.git("rev-parse", "--verify", revision+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("%s is neither a file nor a revision of the policy in %s: %w", revision, r.dir, err)
	}
	return strings.TrimSpace(string(hash)), nil
}

// errOutside says that a file is in no revision whatever.
var errOutside = errors.New("it is not in the git repository")

// name is that of a file or directory inside the repository.
func (r *repository) name(path string) (string, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(whole))
	if err != nil {
		return "", err
	}
	top, err := filepath.EvalSymlinks(r.top)
	if err != nil {
		return "", err
	}
	name, err := filepath.Rel(top, filepath.Join(dir, filepath.Base(whole)))
	if err != nil || !filepath.IsLocal(name) {
		return "", fmt.Errorf("%s: %w", path, errOutside)
	}
	return filepath.ToSlash(name), nil
}

// files are those of some names that a commit has, and of directories all that
// is in them.
func (r *repository) files(commit string, names []string) (fs.FS, error) {
	var have []string
	for _, name := range names {
		if slices.Contains(have, name) {
			continue
		}
		if name != "." {
			found, err := r.git("ls-tree", "--full-tree", "--name-only", commit, "--", name)
			if err != nil {
				return nil, err
			}
			if len(found) == 0 {
				continue
			}
		}
		have = append(have, name)
	}
	if len(have) == 0 {
		return &zip.Reader{}, nil
	}
	archive, err := r.git(append([]string{"archive", "--format=zip", "--", commit}, have...)...)
	if err != nil {
		return nil, err
	}
	return zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
}

// text is a file of a commit.
func (r *repository) text(commit, name string) ([]byte, error) {
	return r.git("cat-file", "blob", commit+":"+name)
}

// defaultBranch is the branch that changes are merged into.
func (r *repository) defaultBranch() (string, error) {
	if head, err := r.git("symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"); err == nil {
		return strings.TrimSpace(strings.TrimPrefix(string(head), "refs/remotes/")), nil
	}
	for _, name := range []string{"origin/main", "origin/master", "main", "master"} {
		if _, err := r.git("rev-parse", "--verify", "--quiet", name+"^{commit}"); err == nil {
			return name, nil
		}
	}
	return "", errors.New("there is no default branch here (origin/HEAD, main or master)")
}

// mergeBase is the newest commit that HEAD and a branch have in common.
func (r *repository) mergeBase(branch string) (string, error) {
	hash, err := r.git("merge-base", "HEAD", branch)
	if err != nil {
		return "", fmt.Errorf("HEAD and %s have no commit in common here, as in a clone without history: %w", branch, err)
	}
	return strings.TrimSpace(string(hash)), nil
}
