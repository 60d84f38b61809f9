package watch

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"b.csv", "a.csv", "c.txt", ".h.csv"} {
		write(t, filepath.Join(dir, name), name)
	}
	c := filepath.Join(dir, "c.txt")
	got, err := Read([]string{c, dir}, WithSuffixes(".csv"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "c.txt=c.txt\na.csv=a.csv\nb.csv=b.csv\n"; show(got) != want {
		t.Errorf("Read =\n%s\nwant\n%s", show(got), want)
	}
	if got.Files[1].Name != filepath.Join(dir, "a.csv") {
		t.Errorf("name = %q", got.Files[1].Name)
	}
	again, err := Read([]string{c, dir}, WithSuffixes(".csv"))
	if err != nil || again.Hash != got.Hash || len(got.Hash) != 64 {
		t.Errorf("second hash %q, first %q, %v", again.Hash, got.Hash, err)
	}
}

func TestReadNamesFilesAsGiven(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "p.csv", "x")
	for _, path := range []string{"p.csv", "./p.csv"} {
		s, err := Read([]string{path})
		if err != nil || s.Files[0].Name != path {
			t.Errorf("Read(%q) = %v, %v", path, s.Files, err)
		}
	}
}

// TestLargeFilesAreReadInParts has a pause after each, when it is read and when it is
// hashed.
func TestLargeFilesAreReadInParts(t *testing.T) {
	t.Parallel()
	for size, parts := range map[int]int{0: 0, part - 1: 0, part: 1, 3*part + 7: 3} {
		name := filepath.Join(t.TempDir(), "p.csv")
		write(t, name, strings.Repeat("a line\n", size)[:size])
		c, err := newConfig([]string{name}, nil)
		if err != nil {
			t.Fatal(err)
		}
		pauses := 0
		got, err := c.load(func() { pauses++ })
		if err != nil {
			t.Fatal(err)
		}
		if pauses != 2*parts {
			t.Errorf("%d bytes: %d pauses, want %d", size, pauses, 2*parts)
		}
		want := sha256.New()
		for _, text := range []string{name, string(got.Files[0].Content)} {
			_ = binary.Write(want, binary.BigEndian, uint64(len(text)))
			want.Write([]byte(text))
		}
		if n := len(got.Files[0].Content); n != size || got.Hash != hex.EncodeToString(want.Sum(nil)) {
			t.Errorf("%d bytes: read %d with the hash %s", size, n, got.Hash)
		}
	}
}

func TestHashKeepsFilesApart(t *testing.T) {
	t.Parallel()
	seen := make(map[string]int)
	for i, files := range [][]File{
		nil,
		{{Name: "a"}},
		{{Name: "a", Content: []byte("b")}},
		{{Name: "ab"}},
		{{Name: "a"}, {Name: "b"}},
		{{Name: "b"}, {Name: "a"}},
		{{Name: "a", Content: []byte("x")}, {Name: "b"}},
		{{Name: "a"}, {Name: "b", Content: []byte("x")}},
		{{}, {}},
		{{Name: strings.Repeat("\x00", 8)}},
	} {
		h := hash(files, runtime.Gosched)
		if j, ok := seen[h]; ok {
			t.Errorf("sets %d and %d have the same hash", i, j)
		}
		seen[h] = i
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "p.csv")
	write(t, file, "12345678")
	write(t, filepath.Join(dir, "q.csv"), "12345678")
	loop := filepath.Join(dir, "loop")
	link(t, "loop", loop)
	for name, c := range map[string]struct {
		paths []string
		opts  []Option
		is    error
		want  string
	}{
		"no path":             {want: "no path is given"},
		"empty path":          {paths: []string{""}, want: "a path is empty"},
		"same path":           {paths: []string{file, dir + "/./p.csv"}, want: "given twice"},
		"file and directory":  {paths: []string{file, dir}, opts: []Option{WithSuffixes(".csv")}, want: "by itself and by its directory"},
		"missing":             {paths: []string{file + "x"}, is: fs.ErrNotExist, want: file + "x: "},
		"below a file":        {paths: []string{file + "/x"}, want: file + "/x: "},
		"link to itself":      {paths: []string{loop}, want: loop + ": "},
		"directory":           {paths: []string{dir}, want: "with WithSuffixes"},
		"device":              {paths: []string{os.DevNull}, want: "not a regular file"},
		"large":               {paths: []string{file}, opts: []Option{WithMaxFileSize(7)}, want: "p.csv: larger than 7 bytes"},
		"large in total":      {paths: []string{dir}, opts: []Option{WithSuffixes(".csv"), WithMaxTotalSize(15)}, want: "q.csv: with it the files have more than 15 bytes"},
		"nil option":          {paths: []string{file}, opts: []Option{nil}, want: "option 1 is nil"},
		"no suffix":           {paths: []string{dir}, opts: []Option{WithSuffixes()}, want: "suffixes"},
		"empty suffix":        {paths: []string{dir}, opts: []Option{WithSuffixes(".csv", "")}, want: "suffixes"},
		"no size":             {paths: []string{file}, opts: []Option{WithMaxFileSize(0)}, want: "max file size 0"},
		"no total":            {paths: []string{file}, opts: []Option{WithMaxTotalSize(-1)}, want: "max total size -1"},
		"poll too often":      {paths: []string{file}, opts: []Option{WithPollInterval(time.Second - 1)}, want: "at least 1s"},
		"no quiet":            {paths: []string{file}, opts: []Option{WithDebounce(0, time.Second)}, want: "debounce 0s"},
		"delay below quiet":   {paths: []string{file}, opts: []Option{WithDebounce(time.Second, time.Millisecond)}, want: "debounce 1s"},
		"endless delay":       {paths: []string{file}, opts: []Option{WithDebounce(time.Second, time.Hour)}, want: "debounce 1s"},
		"nil error callback":  {paths: []string{file}, opts: []Option{WithErrorObserver(nil)}, want: "error observer is nil"},
		"nothing to be inuse": {paths: []string{file}, opts: []Option{WithCurrentSnapshot(Snapshot{})}, want: "current snapshot"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Read(c.paths, c.opts...)
			if err == nil || !strings.HasPrefix(err.Error(), "watch: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %v; want %q in it", err, c.want)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v is not %v", err, c.is)
			}
		})
	}
}

func TestReadRefusesUnreadableFile(t *testing.T) {
	t.Parallel()
	// For root there is no closed file, but memory at address 0 is.
	file := "/proc/self/mem"
	if os.Geteuid() != 0 {
		file = filepath.Join(t.TempDir(), "p.csv")
		write(t, file, "x")
		if err := os.Chmod(file, 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Read([]string{file}); err == nil || !strings.Contains(err.Error(), file+": ") {
		t.Errorf("error = %v", err)
	}
}

// Files of /proc claim to be empty.
func TestReadFileWithoutSize(t *testing.T) {
	t.Parallel()
	if s, err := Read([]string{"/proc/self/status"}); err != nil || len(s.Files[0].Content) == 0 {
		t.Errorf("Read = %v, %v", s, err)
	}
	if _, err := Read([]string{"/proc/self/status"}, WithMaxFileSize(10)); err == nil || !strings.Contains(err.Error(), "larger than 10 bytes") {
		t.Errorf("error = %v", err)
	}
}

func TestReadTooManyFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range maxFiles + 1 {
		link(t, "x", filepath.Join(dir, strings.Repeat("x", i%200)+string(rune('a'+i/200))+".csv"))
	}
	if _, err := Read([]string{dir}, WithSuffixes(".csv")); err == nil || !strings.Contains(err.Error(), "more than 10000 files") {
		t.Errorf("error = %v", err)
	}
}

// during runs f again and again until the test's body has returned.
func during(t *testing.T, f func(n int), body func()) {
	t.Helper()
	stop := make(chan struct{})
	started := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				f(n)
			}
			if n == 0 {
				close(started)
			}
		}
	})
	<-started
	body()
	close(stop)
	wg.Wait()
}

func TestWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stat := func(name string, size int, age time.Duration) fs.FileInfo {
		file := filepath.Join(dir, name)
		write(t, file, strings.Repeat("x", size))
		at := time.Unix(1_700_000_000, 0).Add(-age)
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	five, longer, later, empty := stat("a", 5, 0), stat("b", 6, 0), stat("c", 5, -time.Second), stat("d", 0, 0)
	for name, c := range map[string]struct {
		before, after fs.FileInfo
		n             int
		want          bool
	}{
		"left alone":                        {five, five, 5, true},
		"grew":                              {five, longer, 5, false},
		"written":                           {five, later, 5, false},
		"truncated and written in one tick": {five, five, 3, false},
		"empty":                             {empty, empty, 0, true},
		"made up by the kernel":             {empty, empty, 7, true},
		"filled meanwhile":                  {empty, five, 5, false},
	} {
		if got := whole(c.before, c.after, c.n); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestReadRefusesFileThatGrows(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	write(t, file, strings.Repeat("x", 32<<20))
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	during(t, func(int) {
		if _, err := f.WriteString("y"); err != nil {
			t.Error(err)
		}
	}, func() {
		// Now and then nothing may be written while it is read.
		deadline := time.Now().Add(patience)
		_, err := Read([]string{file})
		for err == nil && time.Now().Before(deadline) {
			_, err = Read([]string{file})
		}
		if !errors.Is(err, ErrChanging) {
			t.Errorf("error = %v", err)
		}
	})
	if _, err := Read([]string{file}); err != nil {
		t.Errorf("once left alone: %v", err)
	}
}

// Two files that change together, by one swap of a link, are never read from
// two sides of it.
func TestReadNeverMixesStates(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	current := filepath.Join(root, "current")
	release := func(n int) {
		version := strconv.Itoa(n)
		dir := mkdir(t, filepath.Join(root, version))
		for _, name := range []string{"a.csv", "b.csv", "c.csv"} {
			write(t, filepath.Join(dir, name), version)
		}
		relink(t, version, current)
	}
	paths := []string{filepath.Join(current, "a.csv"), filepath.Join(current, "b.csv"), filepath.Join(current, "c.csv")}
	during(t, release, func() {
		good := 0
		for range 2000 {
			s, err := Read(paths)
			if errors.Is(err, ErrChanging) {
				continue
			}
			if err != nil {
				t.Error(err)
				return
			}
			good++
			if a, b, c := string(s.Files[0].Content), string(s.Files[1].Content), string(s.Files[2].Content); a != b || b != c {
				t.Errorf("read %s, %s and %s together", a, b, c)
				return
			}
		}
		if good == 0 {
			t.Error("nothing was read at all")
		}
	})
}
