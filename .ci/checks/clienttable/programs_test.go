package clienttable

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/shared/programs"
)

// limit is how long a client may take for a situation.
var limit = authtest.TimeLimit(3 * time.Minute)

// exit runs a program without any configuration of this machine's user and says
// how it ended.
func exit(t *testing.T, path string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LC_ALL=C"}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil && (cmd.ProcessState == nil || !cmd.ProcessState.Exited()) {
		t.Fatalf("%s: %v\n%s", path, err, &output)
	}
	return fmt.Sprintf("exit %d", cmd.ProcessState.ExitCode())
}

// curl asks with further arguments.
func curl(more ...string) func(t *testing.T, s situation, site *site) string {
	return func(t *testing.T, s situation, site *site) string {
		args := append([]string{"-q", "-sS", "--noproxy", "*", "-o", os.DevNull}, more...)
		switch s.has {
		case heldPassword:
			args = append(args, "--anyauth", "-u", viewer+":"+password)
		case wrongPassword:
			args = append(args, "-u", viewer+":"+guess)
		case goodToken, expiredToken:
			args = append(args, "-H", "Authorization: "+s.has.first())
		}
		return exit(t, programs.Need(t, "curl"), append(args, site.url+s.path)...)
	}
}

func wget(t *testing.T, s situation, site *site) string {
	args := []string{"--no-config", "--no-proxy", "-q", "-T", "20", "-O", os.DevNull}
	switch s.has {
	case heldPassword:
		args = append(args, "--user="+viewer, "--password="+password)
	case wrongPassword:
		args = append(args, "--user="+viewer, "--password="+guess)
	case goodToken, expiredToken:
		args = append(args, "--header=Authorization: "+s.has.first())
	}
	return exit(t, programs.Need(t, "wget"), append(args, site.url+s.path)...)
}
