package casbinrules

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/source"
	"github.com/sallyport-go/sallyport/core/watch"
)

func TestOpenWithWatchFailsAsWithout(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.csv")
	if _, err := Open(RBAC(), []string{file}, quick()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if err := writeFile(file, broken); err != nil {
		t.Fatal(err)
	}
	var found *FindingsError
	if _, err := Open(RBAC(), []string{file}, quick()); !errors.As(err, &found) {
		t.Errorf("broken: %v", err)
	}
	if err := writeFile(file, annReads); err != nil {
		t.Fatal(err)
	}
	for name, opts := range map[string][]Option{
		"twice": {WithFileWatch(), WithFileWatch()}, "bad option": {WithFileWatch(watch.WithPollInterval(1))}, "nil option": {WithFileWatch(nil)}, "nil observer": {WithReloadObserver(nil)},
	} {
		if _, err := Open(RBAC(), []string{file}, opts...); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := OpenFS(files("policy.csv", annReads), RBAC(), []string{"policy.csv"}, WithFileWatch()); err == nil || !strings.Contains(err.Error(), "use Open") {
		t.Errorf("OpenFS: %v", err)
	}
}

func TestOpenNamesTheFileThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	policy, model := filepath.Join(dir, "policy.csv"), filepath.Join(dir, "model.conf")
	for name, text := range map[string]string{policy: annReads, model: RBAC().Text()} {
		if err := writeFile(name, text); err != nil {
			t.Fatal(err)
		}
	}
	const (
		absent = "no such file or directory"
		begin  = ": \"sallyport init\" writes one to begin with"
	)
	link := filepath.Join(dir, "dangling.csv")
	if err := os.Symlink(filepath.Join(dir, "gone.csv"), link); err != nil {
		t.Fatal(err)
	}
	linked := t.TempDir()
	if err := os.Symlink(link, filepath.Join(linked, "a.csv")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		model  Model
		policy string
		want   string
	}{
		"directory of the model": {ModelFile("nodir/model.conf"), policy, "read nodir/model.conf: " + absent + begin},
		"policy":                 {ModelFile(model), "nodir/policy.csv", "read nodir/policy.csv: " + absent + begin},
		"file for a directory":   {ModelFile(filepath.Join(policy, "model.conf")), policy, "read " + policy + "/model.conf: not a directory"},
		"dangling link":          {RBAC(), link, "read " + link + ": " + absent + begin},
		"file of a directory":    {RBAC(), linked, linked + "/a.csv: stat: " + absent},
	} {
		for _, opts := range [][]Option{{quiet}, {quiet, quick()}} {
			_, err := Open(c.model, []string{c.policy}, opts...)
			if err == nil || err.Error() != "casbinrules: "+c.want || errors.Is(err, fs.ErrNotExist) != strings.Contains(c.want, absent) {
				t.Errorf("%s: got %v, want %s", name, err, c.want)
			}
		}
	}
	if err := os.Remove(policy); err != nil {
		t.Fatal(err)
	}
	if _, err := Lint(RBAC(), []string{policy}); err == nil || err.Error() != "casbinrules: read "+policy+": "+absent+begin {
		t.Errorf("Lint: %v", err)
	}
}

func TestReloadOfAnFSReadsItAgain(t *testing.T) {
	fsys := files("model.conf", RBAC().Text(), "d/a.csv", annReads, "d/b.csv", "p, eve, /x, GET\n")
	events := make(recorder, 10)
	a, err := OpenFS(fsys, ModelFile("model.conf"), []string{"d"}, quiet, WithReloadObserver(events.observe))
	if err != nil {
		t.Fatal(err)
	}
	fsys["d/b.csv"].Data = []byte(bobReads)
	if err := a.Reload(t.Context()); err != nil || !reads(t, a, "bob") {
		t.Errorf("got %v", err)
	}
	if e := events.next(t); e.ModelChanged {
		t.Errorf("event %+v", e)
	}
	fsys["model.conf"].Data = []byte("# the same model\n" + RBAC().Text())
	if err := a.Reload(t.Context()); err != nil {
		t.Error(err)
	}
	if e := events.next(t); !e.ModelChanged || e.AddedCount+e.RemovedCount != 0 || e.Outcome != ReloadLoaded || e.Reordered {
		t.Errorf("event %+v", e)
	}
	delete(fsys, "model.conf")
	if err := a.Reload(t.Context()); !errors.Is(err, fs.ErrNotExist) || a.Status().Err == nil {
		t.Errorf("got %v", err)
	}
}

func TestTheHashIsThatOfTheContent(t *testing.T) {
	base := &source.Contents{Model: ModelText("m", "a").of, Policies: []watch.File{{Name: "x/p.csv", Content: []byte("b")}}}
	for name, c := range map[string]struct {
		in   *source.Contents
		same bool
	}{
		"elsewhere":    {&source.Contents{Model: ModelText("n", "a").of, Policies: []watch.File{{Name: "y/p.csv", Content: []byte("b")}}}, true},
		"other name":   {&source.Contents{Model: ModelText("m", "a").of, Policies: []watch.File{{Name: "x/q.csv", Content: []byte("b")}}}, false},
		"other model":  {&source.Contents{Model: ModelText("m", "c").of, Policies: base.Policies}, false},
		"other policy": {&source.Contents{Model: base.Model, Policies: []watch.File{{Name: "x/p.csv", Content: []byte("c")}}}, false},
		"run together": {&source.Contents{Model: ModelText("m", "ab").of, Policies: []watch.File{{Name: "x/p.csv"}}}, false},
	} {
		if got := c.in.Hash() == base.Hash(); got != c.same {
			t.Errorf("%s: the same is %v", name, got)
		}
	}
}

func TestAModelThatIsADirectoryIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := writeFile(filepath.Join(dir, "a.csv"), annReads); err != nil {
		t.Fatal(err)
	}
	empty, capitals := t.TempDir(), t.TempDir()
	for _, name := range []string{"a.csv", "DENY.CSV"} {
		if err := writeFile(filepath.Join(capitals, name), annReads); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		model    Model
		policies []string
		want     string
	}{
		"model":        {ModelFile(empty), []string{filepath.Join(dir, "a.csv")}, "is a directory"},
		"policies":     {RBAC(), []string{dir, empty}, "holds no .csv file"},
		"capitals":     {RBAC(), []string{capitals}, "DENY.CSV: only names that end in .csv are read"},
		"twice":        {RBAC(), []string{dir, filepath.Join(dir, "a.csv")}, "remove one of the two"},
		"no model":     {Model{}, []string{dir}, "no model"},
		"no policy":    {RBAC(), nil, "no policy file"},
		"fs directory": {ModelFile("absent"), []string{dir}, "no such file"},
	} {
		if _, err := Open(c.model, c.policies); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := OpenFS(os.DirFS(capitals), RBAC(), []string{"."}); err == nil || !strings.Contains(err.Error(), "DENY.CSV: only names that end in .csv are read") {
		t.Errorf("fs capitals: got %v", err)
	}
}
