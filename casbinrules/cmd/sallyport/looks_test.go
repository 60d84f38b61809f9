package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// screenshots is the environment variable that names a folder for pictures of
// the page. Without it none are taken.
const screenshots = "WEB_SCREENSHOTS"

// bigPolicy has more roles and routes than fit a window.
func bigPolicy() string {
	var b strings.Builder
	for i := range 30 {
		fmt.Fprintf(&b, "p, department-%d, /departments/%d/reports/:report/comments/:comment, GET\n", i, i)
	}
	b.WriteString("p, department-1, /" + strings.Repeat("unpronounceable", 6) + "/:id, DELETE\n")
	b.WriteString("g, ann, department-1\n# " + strings.Repeat("a long comment ", 20) + "\n")
	return b.String()
}

// TestMatrixPageLooksRight shows pages in windows as narrow as a phone, and as
// wide as a desk's, in light and dark.
func TestMatrixPageLooksRight(t *testing.T) {
	// The same script looks at the pages of the example site.
	looks, err := os.ReadFile("../../../examples/web/testdata/looks.js")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run(t, dir, "", "init", ".", "--preset", "rbac-deny")
	small := run(t, dir, "", "matrix", "--format", "html")
	dir = t.TempDir()
	writeFile(t, filepath.Join(dir, "policy.csv"), bigPolicy())
	big := run(t, dir, "", "matrix", "-m", "rbac", "--format", "html")
	report := run(t, dir, "", "report", "-m", "rbac")
	if small.code != 0 || big.code != 0 || report.code != 0 {
		t.Fatal(small.stderr, big.stderr, report.stderr)
	}
	for name, page := range map[string]struct{ text, shows string }{
		"matrix": {small.stdout, "#filters"}, "matrix-big": {big.stdout, "#filters"}, "report": {report.stdout, "h1"},
	} {
		p := openPage(t, page.text, page.shows)
		for _, width := range []int64{320, 390, 1280} {
			for _, scheme := range []string{"light", "dark"} {
				p.look(t, width, scheme)
				shown := fmt.Sprintf("%s-%d-%s", name, width, scheme)
				for _, complaint := range read(t, p, chromedp.Evaluate[[]string](string(looks))) {
					t.Errorf("%s: %s", shown, complaint)
				}
				p.shot(t, shown)
				if name == "matrix-big" {
					p.wantSticky(t, shown)
				}
			}
		}
		p.quiet(t)
	}
}

// wantSticky scrolls the table to its end: heading and routes stay where they
// are, before all other cells, and leave room for some of them.
func (p *tab) wantSticky(t *testing.T, shown string) {
	t.Helper()
	const scroll = `(() => {
		const frame = document.querySelector(".scroll"), table = document.querySelector("#matrix");
		const places = () => [table.rows[0].cells[3], table.rows[3].cells[0], table.rows[0].cells[0]].map((e) => e.getBoundingClientRect());
		frame.scrollIntoView();
		frame.scrollTo(0, 0);
		const [head, row, corner] = places();
		frame.scrollTo(frame.scrollWidth, frame.scrollHeight);
		const [headAfter, rowAfter, cornerAfter] = places(), box = frame.getBoundingClientRect();
		const wrong = [];
		if (frame.scrollTop < 100 || frame.scrollLeft < 100) wrong.push("the table cannot be scrolled");
		if (headAfter.top < box.top || headAfter.top > box.top + 2) wrong.push("the heading is at " + (headAfter.top - box.top));
		if (rowAfter.left !== row.left) wrong.push("the route went from " + row.left + " to " + rowAfter.left);
		if (cornerAfter.left !== corner.left || cornerAfter.top !== headAfter.top) wrong.push("the corner went elsewhere");
		if (rowAfter.width > frame.clientWidth / 2 + 40) wrong.push("routes take " + rowAfter.width + " of " + frame.clientWidth);
		const last = table.rows[table.rows.length - 1].cells[0], at = last.getBoundingClientRect();
		if (!last.contains(document.elementFromPoint(at.left + 20, at.top + at.height / 2))) wrong.push("other cells lie on the routes");
		if (!table.rows[0].cells[0].contains(document.elementFromPoint(cornerAfter.left + 20, cornerAfter.top + cornerAfter.height / 2))) wrong.push("something lies on the corner");
		return wrong;
	})()`
	for _, complaint := range read(t, p, chromedp.Evaluate[[]string](scroll)) {
		t.Errorf("%s: %s", shown, complaint)
	}
	p.shot(t, shown+"-scrolled")
	p.do(t, chromedp.Evaluate[chromedp.Void](`document.querySelector(".scroll").scrollTo(0, 0); scrollTo(0, 0)`))
}

// look sets the width of the window and the colours that are preferred.
func (p *tab) look(t *testing.T, width int64, scheme string) {
	t.Helper()
	size := emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 760, DeviceScaleFactor: 1}
	if _, err := chromedp.Call(p.ctx, emulation.SetDeviceMetricsOverride, size); err != nil {
		t.Fatal(err)
	}
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		t.Fatal(err)
	}
}

// shot takes a picture where one is asked for.
func (p *tab) shot(t *testing.T, name string) {
	t.Helper()
	folder := os.Getenv(screenshots)
	if folder == "" {
		return
	}
	picture := read(t, p, chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o600); err != nil {
		t.Fatal(err)
	}
}
