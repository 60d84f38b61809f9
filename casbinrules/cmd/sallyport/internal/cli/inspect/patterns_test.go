package inspect

import "testing"

// TestPatternFlags: the flags declare names and tenants as patterns, like the options of
// the library.
func TestPatternFlags(t *testing.T) {
	dir := write(t, map[string]string{
		"names.csv":   "p, reader, /x, GET\ng, svc-*, reader\n",
		"tenants.csv": "p, reader, acme, /x, GET\ng, sue, reader, *\n",
	})
	names := []string{"check", "-m", "rbac", "-p", "DIR/names.csv", "--role-patterns"}
	expect(t, dir, "svc-7, /x, GET\neve, /x, GET\n", exitOK, "allow\ndeny\n", "", append(names, "g=keyMatch")...)
	expect(t, dir, "", exitUsage, "", "write KIND=FUNCTION", append(names, "g")...)
	expect(t, dir, "", exitUsage, "", "role patterns", append(names, "g=ipMatch")...)
	expect(t, dir, "sue, acme, /x, GET\neve, acme, /x, GET\n", exitOK, "allow\ndeny\n", "",
		"check", "-m", "rbac-tenants", "-p", "DIR/tenants.csv", "--tenant-patterns", "g")
}
