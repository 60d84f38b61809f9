// Package git asks git about the repository that a policy is in: its revisions, the files
// in them, and who commits.
package git

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
)

// Repository is the git repository that a policy is in.
type Repository struct{ dir, top string }

// Open finds the repository that a directory is in.
func Open(dir string) (*Repository, error) {
	if _, err := exec.LookPath("git"); err != nil {
		return nil, fmt.Errorf("a revision needs the program git: %w", err)
	}
	r := &Repository{dir: dir, top: dir}
	top, err := r.git("rev-parse", "--show-toplevel")
	if err != nil {
		return nil, fmt.Errorf("%s is in no git repository: %w", dir, err)
	}
	r.top = filepath.FromSlash(strings.TrimSuffix(string(top), "\n"))
	return r, nil
}

// git runs git in the top directory.
func (r *Repository) git(args ...string) ([]byte, error) { return git(r.top, nil, args...) }

// git runs git in a directory, which must not make it run a program of its choice. The
// error contains git's messages.
func git(dir string, in io.Reader, args ...string) ([]byte, error) {
	cmd := exec.Command("git", append([]string{"--literal-pathspecs", "-c", "core.fsmonitor=false", "-C", dir}, args...)...)
	var out, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, &stderr
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("git says: %s", command.OneLine(errors.New(strings.TrimSpace(stderr.String()))))
	}
	return out.Bytes(), err
}

// Commit returns the hash of the commit that a revision names.
func (r *Repository) Commit(revision string) (string, error) {
	if strings.HasPrefix(revision, "-") || revision == "" {
		return "", command.Usagef("%q is neither a file nor a revision", revision)
	}
	hash, err := r.git("rev-parse", "--verify", revision+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("%s is neither a file nor a revision of the policy in %s: %w", revision, r.dir, err)
	}
	return strings.TrimSpace(string(hash)), nil
}

// ErrOutside means that a file is not in the repository, and so in none of its revisions.
var ErrOutside = errors.New("it is not in the git repository")

// Name returns the name of a file or directory inside the repository.
func (r *Repository) Name(path string) (string, error) {
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
		return "", fmt.Errorf("%s: %w", path, ErrOutside)
	}
	return filepath.ToSlash(name), nil
}

// Files returns the files with some names in a commit, and for directories the .csv
// files directly in them. Contents are those of the objects: no attribute of the
// repository omits or changes a file, as it does in an archive or a working tree.
func (r *Repository) Files(commit string, names []string) (fs.FS, error) {
	files := fstest.MapFS{}
	var objects []string
	paths := map[string]string{} // names of objects, by path
	for _, name := range names {
		entries, err := r.entries(commit, name)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if !selected(e.path, name) {
				continue
			}
			switch e.mode {
			case modeSymlink:
				return nil, fmt.Errorf("%s is a symbolic link in it, and its target is not read: name the target, or commit a file", e.path)
			case modeSubmodule:
				return nil, fmt.Errorf("%s is a submodule in it, and the files of one are not read", e.path)
			}
			paths[e.path] = e.object
			objects = append(objects, e.object)
		}
	}
	texts, err := r.texts(objects)
	if err != nil {
		return nil, err
	}
	for name, object := range paths {
		files[name] = &fstest.MapFile{Data: texts[object], Mode: 0o444}
	}
	return files, nil
}

// selected reports whether a file has a given name, or is a policy file directly in
// the directory with that name.
func selected(file, name string) bool {
	return file == name || path.Dir(file) == name && path.Ext(file) == ".csv"
}

// Edited reports whether files with some names, or policy files in directories with
// them, differ from HEAD.
func (r *Repository) Edited(names []string) (bool, error) {
	out, err := r.git(append([]string{"status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignored", "--"}, names...)...)
	if err != nil {
		return false, err
	}
	for line := range strings.SplitSeq(string(out), "\x00") {
		if len(line) <= len("XY ") {
			continue
		}
		file := line[len("XY "):]
		if slices.ContainsFunc(names, func(name string) bool { return selected(file, name) }) {
			return true, nil
		}
	}
	return false, nil
}

// Text returns the content of a file in a commit.
func (r *Repository) Text(commit, name string) ([]byte, error) {
	files, err := r.Files(commit, []string{name})
	if err != nil {
		return nil, err
	}
	return fs.ReadFile(files, name)
}

// The modes of entries that are not files.
const (
	modeSymlink   = "120000"
	modeSubmodule = "160000"
)

// entry is an entry of a commit at a path.
type entry struct{ mode, object, path string }

// entries returns the files of a commit with a name, or below it.
func (r *Repository) entries(commit, name string) ([]entry, error) {
	args := []string{"ls-tree", "-r", "-z", "--full-tree", commit}
	if name != "." {
		args = append(args, "--", name)
	}
	out, err := r.git(args...)
	if err != nil {
		return nil, err
	}
	var all []entry
	for line := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		about, path, ok := strings.Cut(line, "\t")
		fields := strings.Fields(about) // mode, type and object
		if !ok || len(fields) != 3 {
			continue // an empty line, without an entry
		}
		all = append(all, entry{mode: fields[0], object: fields[2], path: path})
	}
	return all, nil
}

func (r *Repository) texts(objects []string) (map[string][]byte, error) {
	if len(objects) == 0 {
		return nil, nil
	}
	out, err := git(r.top, strings.NewReader(strings.Join(objects, "\n")+"\n"), "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	texts := make(map[string][]byte, len(objects))
	for _, object := range objects {
		head, rest, _ := bytes.Cut(out, []byte("\n"))
		var name, kind string
		var size int
		if _, err := fmt.Sscanf(string(head), "%s %s %d", &name, &kind, &size); err != nil || kind != "blob" || len(rest) <= size {
			return nil, fmt.Errorf("git has no content of the object %s here: fetch it", object)
		}
		texts[object], out = rest[:size:size], rest[size+1:]
	}
	return texts, nil
}

// DefaultBranch returns the branch that changes are merged into.
func (r *Repository) DefaultBranch() (string, error) {
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

// MergeBase returns the newest commit that HEAD and a branch have in common.
func (r *Repository) MergeBase(branch string) (string, error) {
	hash, err := r.git("merge-base", "HEAD", branch)
	if err != nil {
		return "", fmt.Errorf("HEAD and %s have no commit in common here, as in a clone without history: %w", branch, err)
	}
	return strings.TrimSpace(string(hash)), nil
}

// Author returns the author according to git, or the user of the system.
func Author() string {
	name, email := say("", "config", "user.name"), say("", "config", "user.email")
	switch {
	case name != "" && email != "":
		return name + " <" + email + ">"
	case name != "" || email != "":
		return name + email
	}
	return cmp.Or(os.Getenv("USER"), os.Getenv("LOGNAME"))
}

// CommitOf returns the commit of a directory, with a mark if the directory has
// uncommitted changes; "" without git.
func CommitOf(dir string) string {
	commit := say(dir, "rev-parse", "HEAD")
	if commit != "" && say(dir, "status", "--porcelain", "--", ".") != "" {
		commit += "-dirty"
	}
	return commit
}

// say returns what git says; "" if it is missing, or this is not a repository.
func say(dir string, args ...string) string {
	out, _ := git(dir, nil, args...)
	return strings.TrimSpace(string(out))
}
