package site

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"

	"github.com/sallyport-go/sallyport/examples/shared/browsers"
)

// maxEngine is how large the engine may be, compressed, in bytes.
const maxEngine = 4 << 20

// playground builds the page into a folder.
func playground(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if out, err := exec.CommandContext(ctx, filepath.Join(root, ".ci", "site", "playground"), dir).CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return dir
}

// counted serves a folder and counts requests.
func counted(t *testing.T, dir string) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	files, n := http.FileServer(http.Dir(dir)), new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s, n
}

// when is a promise of the value of an expression, once it is true: it is looked at
// again when the page changes.
func when(expression string) string {
	return `new Promise((resolve) => {
		const look = () => { const v = (` + expression + `); if (v) { changes.disconnect(); resolve(v); } };
		const changes = new MutationObserver(look);
		changes.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
		look();
	})`
}

const idle = `document.querySelector("main").ariaBusy === "false"`

// wait waits until an expression is true of the page.
func (p *tab) wait(expression string) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](when(expression), chromedp.EvalAwaitPromise))
}

// edit puts a text into an editor as if it had been typed at once.
func (p *tab) edit(file, text string) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](`(() => {
		const editor = document.getElementById("text-` + file + `");
		editor.value = ` + strconv.Quote(text) + `;
		editor.dispatchEvent(new Event("input"));
	})()`))
	p.wait(idle)
}

// fill puts a value into a field of the form.
func (p *tab) fill(field, text string) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](`(() => {
		const input = document.forms.request.elements["` + field + `"];
		input.value = ` + strconv.Quote(text) + `;
		input.dispatchEvent(new Event("input", { bubbles: true }));
	})()`))
	p.wait(idle)
}

// text is that of an element, "" where it is hidden.
func (p *tab) text(selector string) string {
	p.t.Helper()
	return value(p, chromedp.Evaluate[string](`document.querySelector(`+strconv.Quote(selector)+`).innerText`))
}

// want checks what an element says.
func (p *tab) want(selector string, parts ...string) {
	p.t.Helper()
	text := p.text(selector)
	for _, part := range parts {
		if !strings.Contains(text, part) {
			p.t.Errorf("%s has no %q:\n%s", selector, part, text)
		}
	}
}

func (p *tab) scheme(name string) {
	p.t.Helper()
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		p.t.Fatal(err)
	}
}

// policyField is the editor of the policy.
var policyField = chromedp.CSS(`[id="text-policy.csv"]`)

// TestPlayground edits a policy, asks it, shares it, and opens the link in another
// profile. No request leaves the page once it is there: it goes on when its server
// has gone, and the browser's proxy, at which all else would arrive, gets none.
func TestPlayground(t *testing.T) {
	var elsewhere atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Host, ".googleapis.com") && !strings.Contains(r.Host, ".google.com") { // Chromium's own
			elsewhere.Store(r.Method + " " + r.Host + r.URL.Path)
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(proxy.Close)
	browser := browsers.Start(t, chromedp.Flag("proxy-server", strings.TrimPrefix(proxy.URL, "http://")))
	server, requests := counted(t, playground(t))
	p := openTab(t, browser, server.URL+"/")
	p.do(chromedp.Navigate(p.site + "play.html"))
	p.wait(idle + ` && document.querySelector(".verdict.allow")`)
	loaded := requests.Load()
	p.want("#verdict", "ALLOW erin may PATCH /reports/7", "policy.csv:16", "erin → editor (policy.csv:30)")
	p.want("#findings", "Nothing is wrong")
	p.want("#tests, #score", "13 passed, 0 failed")

	// A finding appears while somebody types, and leads to its place.
	p.do(chromedp.Evaluate[chromedp.Void](`(() => { const e = document.getElementById("text-policy.csv"); e.focus(); e.setSelectionRange(e.value.length, e.value.length); })()`))
	p.do(chromedp.SendKeys(policyField, "p, editor, /exports\n"))
	p.wait(idle + ` && document.querySelector("#findings .error")`)
	p.want("#findings", "error", "policy.csv:32", "field_count")
	p.want("#verdict", "REFUSED")
	p.want("#found", "1 error")
	p.do(chromedp.Click(chromedp.CSS("#findings .place")))
	if got := value(p, chromedp.Evaluate[string](`(() => { const e = document.activeElement; return e.id + " " + e.value.slice(e.selectionStart, e.selectionEnd); })()`)); got != "text-policy.csv /exports" {
		t.Errorf("the finding leads to %q", got)
	}
	p.want("#here", "error: ")

	// A quick fix is one click, and one step back.
	p.edit("policy.csv", "p, editor, /reports/:id, put\np, editor, /reports/:id, PATCH\np, editor, /reports/:id, PATCH\ng, erin, editor\n")
	p.want("#findings", "method_case", "duplicate_rule", "Delete the line")
	p.do(chromedp.Click(chromedp.CSS("#findings .error .fix")))
	p.wait(idle + ` && !document.querySelector("#findings .error")`)
	p.do(chromedp.Click(chromedp.CSS("#findings .fix")))
	p.wait(idle + ` && document.querySelector("#findings .none")`)
	const fixed = "p, editor, /reports/:id, PUT\np, editor, /reports/:id, PATCH\ng, erin, editor\n"
	text := chromedp.Evaluate[string](`document.getElementById("text-policy.csv").value`)
	if got := value(p, text); got != fixed {
		t.Errorf("after the fixes the policy is %q", got)
	}
	if got := value(p, chromedp.Evaluate[string](`document.execCommand("undo"), document.getElementById("text-policy.csv").value`)); !strings.Contains(got, "PATCH\np, editor, /reports/:id, PATCH") {
		t.Errorf("a step back is %q", got)
	}

	// An answer explains itself, and a cell of the matrix asks it.
	policy := "p, editor, /reports/:id, PUT\np, editor, /reports/:id, PATCH\ng, erin, editor\n"
	p.edit("policy.csv", policy)
	p.fill("action", "DELETE")
	p.want("#verdict", "DENY erin may not DELETE /reports/7", "A gate answers 403", "nearly", "policy.csv:1")
	p.do(chromedp.Click(chromedp.CSS(`#matrix td.allow button`)))
	p.wait(idle + ` && document.querySelector(".verdict.allow")`)
	p.want("#verdict", "ALLOW sample-user may PUT /reports/sample", "sample-user → editor (from the token)")
	p.edit("policy.tests", "allow erin /reports/7 PUT\nallow erin /reports/7 DELETE\n")
	p.want("#score", "1 passed, 1 failed")
	p.want("#tests", "policy.tests:2", "not DELETE")
	p.want("#covered", "2 of 3 lines")
	if n := value(p, chromedp.Evaluate[int](`document.querySelectorAll("[id='panel-policy.csv'] .gutter b.uncovered").length`)); n != 1 {
		t.Errorf("%d lines are marked that no test depends on", n)
	}

	// Of answers that overtake each other the newest is shown.
	p.do(chromedp.Evaluate[chromedp.Void](`(() => {
		const object = document.forms.request.elements.object;
		for (let i = 0; i < 50; i++) {
			object.value = "/reports/" + i;
			object.dispatchEvent(new Event("input", { bubbles: true }));
		}
	})()`))
	p.wait(idle)
	p.want("#verdict", "/reports/49")

	link := p.share(t)
	p.long(t)
	p.measure(t)
	if n := requests.Load(); n != loaded {
		t.Errorf("%d requests after the page was loaded", n-loaded)
	}

	// What was typed is still there when the page is loaded again.
	p.edit("policy.csv", policy+"# kept\n")
	p.do(chromedp.Reload())
	p.wait(idle + ` && document.querySelector(".verdict")`)
	if got := value(p, chromedp.Evaluate[string](`document.getElementById("text-policy.csv").value`)); got != policy+"# kept\n" {
		t.Errorf("after a reload the policy is %q", got)
	}

	other := openTab(t, browser, server.URL+"/")
	other.do(chromedp.Navigate(link))
	other.wait(idle + ` && document.querySelector(".verdict")`)
	other.want("#verdict", "ALLOW sample-user may PUT /reports/49", "policy.csv:1", "from the token")
	if got := value(other, chromedp.Evaluate[string](`document.getElementById("text-policy.csv").value`)); got != policy {
		t.Errorf("the link has the policy %q", got)
	}
	if text := other.text("#problem"); text != "" {
		t.Errorf("the link is a problem: %s", text)
	}
	for _, broken := range []string{link[:len(link)-9], strings.Replace(link, "#1.", "#1.A", 1), strings.Replace(link, "#1.", "#2.", 1), link + "!"} {
		other.do(chromedp.Navigate("about:blank"), chromedp.Navigate(broken))
		other.wait(idle + ` && document.querySelector(".verdict")`)
		other.want("#problem", "This link cannot be read: ")
		other.want("#verdict", "ALLOW erin may PATCH /reports/7")
	}

	server.Close()
	other.edit("policy.csv", "p, erin, /alone, GET\n")
	other.fill("object", "/alone")
	other.fill("action", "GET")
	other.want("#verdict", "ALLOW erin may GET /alone")
	if where := elsewhere.Load(); where != nil {
		t.Errorf("the browser asked for %s", where)
	}
}

// TestPlaygroundFiles adds a file to the policy, renames it, takes it away and back,
// opens others, and shares them. A link without names of policy files is one of before
// there were several.
func TestPlaygroundFiles(t *testing.T) {
	browser := browsers.Start(t)
	server, _ := counted(t, playground(t))
	p := openTab(t, browser, server.URL+"/")
	p.do(chromedp.Navigate(p.site + "play.html"))
	p.wait(idle + ` && document.querySelector(".verdict.allow")`)
	p.edit("policy.csv", "p, editor, /reports/:id, PUT\np, editor, /reports/:id, PATCH\n")
	p.want("#verdict", "DENY erin")
	p.press("add")
	p.edit("roles.csv", "g, erin, editor\ng, erin, editor\n")
	p.want("#verdict", "ALLOW erin", "policy.csv:2", "roles.csv:1")
	p.want("#findings", "roles.csv:2", "duplicate_rule")
	p.press("rename")
	p.press("unname")
	p.want("#tabs", "policy.csv", "roles.csv")
	p.press("rename")
	p.do(chromedp.Evaluate[chromedp.Void](`void document.getElementById("name").dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }))`))
	p.wait(idle + ` && document.getElementById("naming").hidden`)
	p.want("#verdict", "ALLOW erin", "roles.csv:1")
	p.press("rename")
	for _, name := range []string{"policy.csv", "people.txt", "a/b.csv"} {
		if value(p, chromedp.Evaluate[bool](naming(name)+`, document.getElementById("name").validity.valid`)) {
			t.Errorf("a file is renamed to %s", name)
		}
	}
	p.do(chromedp.Evaluate[chromedp.Void](`void (` + naming("people.csv") + `)`))
	p.wait(idle + ` && document.querySelector("#findings").innerText.includes("people.csv:2")`)
	p.do(chromedp.Click(chromedp.CSS("#findings .fix")))
	p.wait(idle + ` && document.querySelector("#findings .none")`)
	link := p.share(t)
	p.press("remove")
	p.want("#verdict", "DENY erin")
	p.want("#problem", "people.csv was removed.")
	p.do(chromedp.Click(chromedp.CSS("#problem button")))
	p.wait(idle + ` && document.querySelector(".verdict.allow")`)
	p.removals()
	p.stale()
	p.unseen()
	p.opens()

	other := openTab(t, browser, server.URL+"/")
	other.do(chromedp.Navigate(link))
	other.wait(idle + ` && document.querySelector(".verdict.allow")`)
	other.want("#tabs", "policy.csv", "people.csv")
	other.want("#verdict", "people.csv:1")

	// Made of {"files": {"model.conf": …, "policy.csv": …}} and no more.
	old := value(p, chromedp.Evaluate[string](`import("./play/share.js").then(({ pack }) => pack({ files: {
		"model.conf": document.getElementById("text-model.conf").value, "policy.csv": "p, erin, /old, GET\n",
	}, request: { subject: "erin", object: "/old", action: "GET" } }))`, chromedp.EvalAwaitPromise))
	other.do(chromedp.Navigate("about:blank"), chromedp.Navigate(p.site+"play.html#"+old))
	other.wait(idle + ` && document.querySelector(".verdict.allow")`)
	other.want("#verdict", "ALLOW erin may GET /old", "policy.csv:1")
	if text := other.text("#tabs"); strings.Count(text, ".csv") != 1 {
		t.Errorf("an old link has the files %s", text)
	}
}

// removals undoes removals, which takes nothing from the files that came meanwhile.
func (p *tab) removals() {
	p.t.Helper()
	const removed = "roles.csv was removed."
	p.press("add")
	p.edit("roles.csv", "g, ann, editor\n")
	p.press("remove")
	p.do(chromedp.Evaluate[chromedp.Void](`void document.querySelector("#problem button").focus()`))
	p.fill("action", "PUT")
	if !value(p, chromedp.Evaluate[bool](`document.activeElement === document.querySelector("#problem button")`)) {
		p.t.Error("an answer takes the focus from what undoes a removal")
	}
	p.press("add")
	p.edit("roles.csv", "g, bob, editor\n")
	p.press("add")
	p.press("remove") // roles2.csv, which is empty
	p.want("#problem", removed)
	p.undo()
	p.wantPolicies("policy.csv", "people.csv", "roles2.csv", "roles.csv")
	p.wantValue("roles2.csv", "g, ann, editor\n")
	p.wantValue("roles.csv", "g, bob, editor\n")

	p.do(chromedp.Click(chromedp.CSS(`[id="tab-policy.csv"]`)))
	p.press("remove")
	p.press("add")
	p.undo()
	p.wantPolicies("policy.csv", "people.csv", "roles2.csv", "roles.csv", "roles3.csv")

	p.press("remove")
	p.preset()
	if text := p.text("#problem"); text != "" {
		p.t.Errorf("after a preset was chosen: %s", text)
	}
	p.wantPolicies("policy.csv")

	p.press("add")
	p.edit("roles.csv", "g, ann, editor\n")
	p.press("remove")
	for range 19 {
		p.press("add")
	}
	p.undo()
	p.want("#problem", "roles.csv can be put back when there are fewer than 20 policy files")
	p.press("remove")
	p.undo()
	p.wantValue("roles19.csv", "g, ann, editor\n")
	if list := p.policies(); len(list) != 20 || list[1] != "roles19.csv" {
		p.t.Errorf("a file of 20 was put back: %v", list)
	}
	p.preset()
}

// stale checks that the fix of a finding changes no text but that which it was found in.
func (p *tab) stale() {
	p.t.Helper()
	const policy = "p, editor, /reports/:id, PUT\np, editor, /reports/:id, PUT\n"
	const click = `document.querySelector("#findings .fix").click()`
	p.press("add")
	p.edit("policy.csv", policy)
	p.want("#findings", "duplicate_rule", "policy.csv:2")
	p.do(chromedp.Evaluate[chromedp.Void](`(() => {
		const editor = document.getElementById("text-policy.csv");
		editor.value = "p, editor, /first, PUT\n\n" + editor.value;
		editor.dispatchEvent(new Event("input"));
		` + click + `;
	})()`))
	p.wait(idle)
	p.wantValue("policy.csv", "p, editor, /first, PUT\n\n"+policy)
	p.do(chromedp.Click(chromedp.CSS(`[id="tab-policy.csv"]`)))
	p.do(chromedp.Evaluate[chromedp.Void](`(() => { document.getElementById("remove").click(); ` + click + `; })()`))
	p.wait(idle)
	p.wantPolicies("roles.csv")
	p.preset()
}

// unseen goes to a line of a file that was not shown before.
func (p *tab) unseen() {
	p.t.Helper()
	p.edit("policy.tests", strings.Repeat("\n", 199)+"allow nobody /nothing GET\n")
	p.want("#tests", "policy.tests:200")
	p.do(chromedp.Click(chromedp.CSS("#tests .place")))
	if !value(p, chromedp.Evaluate[bool](`(() => {
		const e = document.getElementById("text-policy.tests");
		const top = 199 * parseFloat(getComputedStyle(e).lineHeight) - e.scrollTop;
		return e === document.activeElement && top > 0 && top < e.clientHeight;
	})()`)) {
		p.t.Error("the line that a failed test leads to cannot be seen")
	}
	p.preset()
}

// opens opens files, also with names that files on the page cannot have.
func (p *tab) opens() {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](`(() => {
		const files = new DataTransfer();
		for (const [name, text] of [
			["policy (1).csv", "p, editor, /opened, GET\n"], ["team+ops.csv", "g, ops, editor\n"], ["team_ops.csv", "g, team, editor\n"], ["bob's.csv", "g, bob, editor\n"], ["people.txt", ""],
		]) {
			files.items.add(new File([text], name));
		}
		const opened = document.getElementById("opened");
		opened.files = files.files;
		opened.dispatchEvent(new Event("change"));
	})()`))
	p.wait(`document.getElementById("problem").innerText.includes("people.txt")`)
	p.wait(idle)
	p.want("#problem", "Not opened: people.txt.")
	p.wantPolicies("policy _1_.csv", "team_ops2.csv", "team_ops.csv", "bob_s.csv")
	p.wantValue("policy/_1_.csv", "p, editor, /opened, GET\n") // blanks are slashes in ids
	p.wantValue("team_ops2.csv", "g, ops, editor\n")
	p.wantValue("team_ops.csv", "g, team, editor\n")
	p.wantValue("bob_s.csv", "g, bob, editor\n")
	for field, text := range map[string]string{"subject": "bob", "object": "/opened", "action": "GET"} {
		p.fill(field, text)
	}
	p.want("#verdict", "ALLOW bob may GET /opened", "policy _1_.csv:1", "bob_s.csv:1")
	if !value(p, chromedp.Evaluate[bool](`[...document.querySelectorAll("#tabs button")].every((tab) => {
		const panel = document.getElementById(tab.getAttribute("aria-controls"));
		return panel?.getAttribute("aria-labelledby") === tab.id && !/\s/.test(panel.id + tab.id);
	})`)) {
		p.t.Error("a tab and its panel do not name each other")
	}
}

// undo takes back what the page offers to.
func (p *tab) undo() {
	p.t.Helper()
	if !value(p, chromedp.Evaluate[bool](`(() => { const button = document.querySelector("#problem button"); button?.click(); return button !== null; })()`)) {
		p.t.Error("nothing can be undone")
	}
	p.wait(idle)
}

// preset begins anew.
func (p *tab) preset() {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](`(() => {
		const preset = document.getElementById("preset");
		preset.selectedIndex = 0;
		preset.dispatchEvent(new Event("change"));
	})()`))
	p.wait(idle)
}

// policies are the policy files in the order of their tabs.
func (p *tab) policies() []string {
	p.t.Helper()
	return value(p, chromedp.Evaluate[[]string](`[...document.querySelectorAll("#tabs button")].map((tab) => tab.firstChild.data).filter((n) => n.endsWith(".csv"))`))
}

func (p *tab) wantPolicies(want ...string) {
	p.t.Helper()
	if list := p.policies(); !slices.Equal(list, want) {
		p.t.Errorf("the policy files are %v, want %v", list, want)
	}
}

// wantValue checks what is in an editor.
func (p *tab) wantValue(file, want string) {
	p.t.Helper()
	if got := value(p, chromedp.Evaluate[string](`document.getElementById("text-`+file+`")?.value ?? "no file"`)); got != want {
		p.t.Errorf("%s is %q, want %q", file, got, want)
	}
}

// press presses a button.
func (p *tab) press(id string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS("#" + id)))
	p.wait(idle)
}

// naming is an expression that gives the open file another name.
func naming(name string) string {
	return `document.getElementById("name").value = ` + strconv.Quote(name) + `, document.getElementById("name").oninput(), document.getElementById("naming").requestSubmit()`
}

// share presses the button and returns the link.
func (p *tab) share(t *testing.T) string {
	t.Helper()
	p.do(chromedp.Click(chromedp.CSS("#share")))
	p.wait(`document.getElementById("size").innerText !== ""`)
	link := value(p, chromedp.Evaluate[string](`document.getElementById("link").value`))
	if text := p.text("#size"); !strings.HasPrefix(link, p.site+"play.html#1.") || !strings.Contains(strings.ReplaceAll(text, ",", ""), fmt.Sprintf("%d characters", len(link))) {
		t.Fatalf("link %s, %s", link, text)
	}
	return link
}

// long checks that of 1,000 lines with findings the page draws what can be seen, where
// it belongs, and that a keystroke leaves those in the list alone which it does not
// change.
func (p *tab) long(t *testing.T) {
	t.Helper()
	before := value(p, chromedp.Evaluate[string](`document.getElementById("text-policy.csv").value`))
	p.edit("policy.csv", strings.ReplaceAll(thousandLines(), "GET", "get"))
	p.want("#findings", "method_case", "and 134 more")
	const drawn = `document.querySelectorAll("[id='panel-policy.csv'] .marks *, [id='panel-policy.csv'] .gutter b").length`
	if n := value(p, chromedp.Evaluate[int](drawn)); n == 0 || n > 300 {
		t.Errorf("%d marks are drawn of a file of which some 25 lines can be seen", n)
	}
	p.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#findings li:nth-child(50)").kept = true`))
	p.edit("policy.csv", strings.Replace(strings.ReplaceAll(thousandLines(), "GET", "get"), "items0, get", "items0, GET", 1))
	p.want("#findings", "and 133 more")
	if !value(p, chromedp.Evaluate[bool](`document.querySelector("#findings li:nth-child(49)").kept === true`)) {
		t.Error("a finding that stays is drawn anew")
	}
	// Of these lines the 700th alone has a method in lower case.
	p.do(chromedp.Evaluate[chromedp.Void](`(() => { const e = document.getElementById("text-policy.csv"); e.scrollTop = 697 * parseFloat(getComputedStyle(e).lineHeight); })()`))
	const at = `(() => {
		const e = document.getElementById("text-policy.csv"), panel = e.closest(".editor");
		const top = (line) => Math.round(e.getBoundingClientRect().top + e.clientTop + parseFloat(getComputedStyle(e).paddingTop) + (line - 1) * parseFloat(getComputedStyle(e).lineHeight) - e.scrollTop);
		const tops = (selector) => [...panel.querySelectorAll(selector)].map((m) => Math.round(m.getBoundingClientRect().top));
		return tops(".marks b.error").includes(top(700)) && !tops(".marks b.error").includes(top(699)) && tops(".gutter b.error").includes(top(700)) &&
			tops(".marks i.error").includes(top(700)) && panel.querySelector(".gutter pre").innerText.split("\n").includes("700");
	})()`
	p.wait(at)
	if n := value(p, chromedp.Evaluate[int](drawn)); n > 300 {
		t.Errorf("%d marks are drawn after scrolling", n)
	}
	p.edit("policy.csv", before)
}

// measure prints how long it takes from a key until what is wrong and what is decided
// is drawn, at 1,000 lines, and the processor time that the page and its engine need.
func (p *tab) measure(t *testing.T) {
	t.Helper()
	before := value(p, chromedp.Evaluate[string](`document.getElementById("text-policy.csv").value`))
	p.edit("policy.csv", thousandLines())
	p.do(chromedp.Evaluate[chromedp.Void](`(() => {
		const editor = document.getElementById("text-policy.csv");
		let begun; // when the browser got the key
		window.took = [];
		editor.focus();
		editor.setSelectionRange(editor.value.length, editor.value.length);
		editor.addEventListener("keydown", (e) => { begun = e.timeStamp; });
		// The status is the last thing that an answer changes.
		new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => {
			if (begun) {
				took.push(performance.now() - begun);
				begun = undefined;
			}
		}))).observe(document.getElementById("status"), { childList: true });
	})()`))
	begun := p.processTime()
	for i := range keystrokes {
		p.do(chromedp.KeyEvent("#"))
		p.do(chromedp.Evaluate[chromedp.Void](`new Promise((resolve) => {
			const look = () => took.length > `+strconv.Itoa(i)+` && `+idle+` ? resolve() : setTimeout(look, 10);
			look();
		})`, chromedp.EvalAwaitPromise))
	}
	processor := (p.processTime() - begun) / keystrokes
	took := value(p, chromedp.Evaluate[[]float64](`took`))
	slices.Sort(took)
	t.Logf("from keystroke to findings and decision at 1,000 lines: median %.0f ms, a tenth within %.0f ms, longest %.0f ms; with matrix and tests %.0f ms of a processor",
		took[len(took)/2], took[len(took)/10], took[len(took)-1], processor)
	p.edit("policy.csv", before)
}

// keystrokes is how many are measured.
const keystrokes = 31

// processTime is that of the process of the page, in milliseconds.
func (p *tab) processTime() float64 {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, performance.Enable, performance.EnableParams{})
	if err != nil {
		p.t.Fatal(err)
	}
	metrics, err := chromedp.Call(p.ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, m := range metrics.Metrics {
		if m.Name == "ProcessTime" {
			return m.Value * 1000
		}
	}
	p.t.Fatal("the browser does not tell the time of its processes")
	return 0
}

// thousandLines is a policy of 700 rules for 50 roles and 300 role links.
func thousandLines() string {
	var b strings.Builder
	for i := range 700 {
		fmt.Fprintf(&b, "p, role%d, /area%d/:id/items%d, %s\n", i%50, i%20, i, []string{"GET", "POST", "DELETE"}[i%3])
	}
	for i := range 300 {
		fmt.Fprintf(&b, "g, user%d, role%d\n", i, i%50)
	}
	return b.String()
}

// TestPlaygroundSize: the engine is small enough to be loaded by a phone.
func TestPlaygroundSize(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: it builds for WebAssembly, and -short is given")
	}
	info, err := os.Stat(filepath.Join(playground(t), "play", "engine.wasm.gz"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the engine has %d bytes, compressed", info.Size())
	if info.Size() > maxEngine || info.Size() < 1<<20 {
		t.Errorf("the engine has %d bytes, compressed: want at most %d", info.Size(), maxEngine)
	}
}

// TestPlaygroundWithoutEngine: the page says so.
func TestPlaygroundWithoutEngine(t *testing.T) {
	browser := browsers.Start(t)
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "play"), os.DirFS(filepath.Join(root, ".ci", "site", "play"))); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "play", "play.html"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "play.html"), page, 0o600); err != nil {
		t.Fatal(err)
	}
	server, _ := counted(t, dir)
	p := openTab(t, browser, server.URL+"/")
	p.do(chromedp.Navigate(p.site + "play.html"))
	p.wait(`!document.getElementById("problem").hidden`)
	p.want("#problem", "The engine could not be started", "Load the page again.")
	if !value(p, chromedp.Evaluate[bool](`document.getElementById("open").disabled`)) {
		t.Error("files can be opened that nothing looks at")
	}
	p.mu.Lock()
	p.wrong = nil // of what is missing
	p.mu.Unlock()
}

// TestPlaygroundLooksRight shows the page in windows as narrow as a phone and as wide
// as a desk's, in light and dark.
func TestPlaygroundLooksRight(t *testing.T) {
	browser := browsers.Start(t)
	looks, err := os.ReadFile(filepath.Join(root, "examples", "web", "testdata", "looks.js"))
	if err != nil {
		t.Fatal(err)
	}
	server, _ := counted(t, playground(t))
	p := openTab(t, browser, server.URL+"/")
	p.do(chromedp.Navigate(p.site + "play.html"))
	p.wait(idle + ` && document.querySelector(".verdict")`)
	for _, state := range []string{"good", "findings", "refused"} {
		switch state {
		case "findings":
			p.edit("policy.csv", "p, editor, /reports/:id, PUT\np, editor, reports, GET\np, admin, /*, *\ng, erin, editor\ng, erin, editor\n")
			p.fill("action", "DELETE")
		case "refused":
			p.edit("policy.csv", "p, editor, /reports/:id, PUT\np, editor\n# "+strings.Repeat("a long comment ", 20)+"\n")
		}
		for _, width := range []int64{390, 1280} {
			for _, scheme := range []string{"light", "dark"} {
				p.resize(width)
				p.scheme(scheme)
				shown := fmt.Sprintf("play-%s-%d-%s", state, width, scheme)
				for _, complaint := range value(p, chromedp.Evaluate[[]string](string(looks))) {
					t.Errorf("%s: %s", shown, complaint)
				}
				p.whole(shown)
			}
		}
	}
}

// whole takes a picture of all of the page where pictures are asked for.
func (p *tab) whole(name string) {
	p.t.Helper()
	folder := os.Getenv(screenshots)
	if folder == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), value(p, chromedp.FullScreenshot(100)), 0o600); err != nil {
		p.t.Fatal(err)
	}
}
