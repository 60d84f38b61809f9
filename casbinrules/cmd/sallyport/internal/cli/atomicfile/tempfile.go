package atomicfile

import (
	"cmp"
	"crypto/rand"
	"os"
	"strings"
	"time"
)

// abandonedAfter is the age from which a temporary file belongs to no run in progress.
const abandonedAfter = time.Hour

// tempName returns a name for a temporary file beside a file. It begins with a dot, so
// that it is not taken for a policy or a key file.
func tempName(base string) string { return "." + base + "." + rand.Text() + ".tmp" }

// isTempName reports whether [tempName] may have returned name for base.
func isTempName(name, base string) bool {
	middle, ok := strings.CutPrefix(name, "."+base+".")
	middle, ends := strings.CutSuffix(middle, ".tmp")
	return ok && ends && len(middle) == len(rand.Text()) && strings.Trim(middle, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// sweep removes the temporary files for a file in dir, a folder of root, that runs which
// were killed have left behind: they may contain a key. It is not an error if it cannot.
func sweep(root *os.Root, dir, base string) {
	d, err := root.Open(cmp.Or(dir, "."))
	if err != nil {
		return
	}
	names, _ := d.Readdirnames(-1)
	_ = d.Close()
	for _, name := range names {
		if !isTempName(name, base) {
			continue
		}
		if info, err := root.Lstat(dir + name); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > abandonedAfter {
			_ = root.Remove(dir + name)
		}
	}
}
