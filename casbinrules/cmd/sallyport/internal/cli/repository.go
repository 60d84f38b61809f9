package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
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

// git runs git in the top directory. The error contains git's messages.
func (r *repository) git(args ...string) ([]byte, error) { return r.ask(nil, args...) }

// ask is [repository.git] with input for git.
func (r *repository) ask(in io.Reader, args ...string) ([]byte, error) {
	cmd := exec.Command(r.program, append([]string{"--literal-pathspecs", "-C", r.top}, args...)...)
	var out, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, &stderr
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("git says: %s", command.OneLine(errors.New(strings.TrimSpace(stderr.String()))))
	}
	return out.Bytes(), err
}

func (r *repository) commit(revision string) (string, error) {
	if strings.HasPrefix(revision, "-") || revision == "" {
		return "", command.Usagef("%q is neither a file nor a revision", revision)
	}
	hash, err := r.git("rev-parse", "--verify", revision+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("%s is neither a file nor a revision of the policy in %s: %w", revision, r.dir, err)
	}
	return strings.TrimSpace(string(hash)), nil
}

// errOutside means that a file is not in the repository, and so in none of its revisions.
var errOutside = errors.New("it is not in the git repository")

// name returns the name of a file or directory inside the repository.
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

// files returns the files with some names in a commit, and for directories the .csv
// files directly in them. Contents are those of the objects: no attribute of the
// repository omits or changes a file, as it does in an archive or a working tree.
func (r *repository) files(commit string, names []string) (fs.FS, error) {
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

// edited reports whether files with some names, or policy files in directories with
// them, differ from HEAD.
func (r *repository) edited(names []string) (bool, error) {
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

func (r *repository) text(commit, name string) ([]byte, error) {
	files, err := r.files(commit, []string{name})
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
func (r *repository) entries(commit, name string) ([]entry, error) {
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

func (r *repository) texts(objects []string) (map[string][]byte, error) {
	if len(objects) == 0 {
		return nil, nil
	}
	out, err := r.ask(strings.NewReader(strings.Join(objects, "\n")+"\n"), "cat-file", "--batch")
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

// defaultBranch returns the branch that changes are merged into.
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

// mergeBase returns the newest commit that HEAD and a branch have in common.
func (r *repository) mergeBase(branch string) (string, error) {
	hash, err := r.git("merge-base", "HEAD", branch)
	if err != nil {
		return "", fmt.Errorf("HEAD and %s have no commit in common here, as in a clone without history: %w", branch, err)
	}
	return strings.TrimSpace(string(hash)), nil
}
