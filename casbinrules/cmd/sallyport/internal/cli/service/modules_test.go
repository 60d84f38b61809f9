package service

import "testing"

// TestReleases: other modules are taken at the version of this program if it is a release.
func TestReleases(t *testing.T) {
	for version, want := range map[string]bool{"v0.1.0": true, "v1.2.3-rc.1": true, "(devel)": false, "": false, "v0.0.0-20261128224239-0123456789ab": false, "v0.1.0+dirty": false} {
		if release.MatchString(version) != want {
			t.Errorf("%q is a release: %v", version, !want)
		}
	}
}
