//go:build linux

package fleet_test

import (
	"bytes"
	"fmt"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core/source"
)

// user is whom instances ask about, and places are what they ask for.
const user = "ann"

var places = []string{"/hall", "/turn/0", "/turn/1"}

// Each revision gives the user another role than the one before, in one file,
// and that role what it may do in another: the hall, and of two places the one
// whose number is even or odd as the revision is. Two files of different
// revisions would open nothing.
const roleCount = 7

// allows reports what a revision says.
func allows(r source.Revision, place string) bool {
	return place == "/hall" || place == fmt.Sprintf("/turn/%d", r%2)
}

// files are those of a revision, with about so many rules, about which lint has nothing
// to say. Other revisions differ in one rule and one role.
func files(r source.Revision, rules int) []source.File {
	role := fmt.Sprintf("role%d", r%roleCount)
	var b bytes.Buffer
	for i := range rules {
		fmt.Fprintf(&b, "p, user%d, /things/%d/:part, GET\n", i, i)
		if i == rules/2 {
			fmt.Fprintf(&b, "p, %s, /(hall|turn/%d), GET\n", role, r%2)
		}
	}
	return []source.File{
		{Name: "model.conf", Content: []byte(model)},
		{Name: "policy.csv", Content: b.Bytes()},
		{Name: "roles.csv", Content: fmt.Appendf(nil, "g, %s, %s\n", user, role)},
	}
}

var model = casbinrules.RBAC().Text()
