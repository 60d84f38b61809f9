package credentials

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/atomicfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/core/htpasswd"
)

// maxTypedPassword is the maximum length of a password that is read, in bytes.
const maxTypedPassword = 4096

func newPasswd() *cobra.Command {
	var kind string
	var cost int
	cmd := &cobra.Command{
		Use:   "passwd FILE USER",
		Short: "Set the password of a user in a password file",
		Long: `passwd asks for a password, twice and without showing it, and writes its hash into
the line of the user in a password file (htpasswd), as the scheme Basic is answered
from. A user who is not there is added, and a file that is not there is created
for its owner alone (mode 0600). Where stdin is no terminal, its first line is the
password.

The file is replaced as a whole or not at all, with its comments, order and mode.`,
		Example: "  sallyport passwd users.htpasswd erin\n  pass show erin | sallyport passwd users.htpasswd erin --hash argon2id",
		Args:    command.Exactly(2, "a password file and a user"),
	}
	command.ChoiceFlag(cmd, &kind, "hash", "`kind` of hash: ", "bcrypt", "argon2id")
	cmd.Flags().IntVar(&cost, "cost", htpasswd.DefaultCost, "`cost` of bcrypt, from 10 to 16")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if kind != "bcrypt" && cmd.Flags().Changed("cost") {
			return command.Usagef("--cost is for bcrypt")
		}
		password, err := askPassword(cmd.InOrStdin(), cmd.ErrOrStderr(), args[1])
		if err != nil {
			return err
		}
		var hash string
		if kind == "argon2id" {
			hash, err = htpasswd.HashArgon2id(password)
		} else {
			hash, err = htpasswd.HashBcrypt(password, cost)
		}
		if err != nil {
			return command.Usage(err)
		}
		return setPassword(cmd, args[0], args[1], hash)
	}
	return cmd
}

func setPassword(cmd *cobra.Command, file, user, hash string) error {
	err := atomicfile.Edit(file, func(text []byte, _ bool) ([]byte, error) {
		return htpasswd.SetUser(file, text, user, hash)
	})
	if err != nil {
		return err
	}
	command.Say(cmd.ErrOrStderr(), "sallyport: %s has a new password in %s\n", command.Plain(user), command.Plain(file))
	return nil
}

// askPassword reads a password twice from a terminal, without echo, or once from
// the first line of any other input.
func askPassword(stdin io.Reader, stderr io.Writer, user string) (string, error) {
	f, ok := stdin.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return firstLine(stdin)
	}
	fd := int(f.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	// If it were ended in between, the terminal would stay without echo.
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(interrupted)
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-interrupted:
			_ = term.Restore(fd, state)
			command.Say(stderr, "\n")
			os.Exit(command.ExitUsage)
		case <-done:
		}
	}()
	var typed [2]string
	for i, prompt := range []string{"Password of " + command.Plain(user) + ": ", "The same again: "} {
		command.Say(stderr, "%s", prompt)
		text, err := term.ReadPassword(fd)
		command.Say(stderr, "\n")
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		typed[i] = string(text)
	}
	if typed[0] != typed[1] {
		return "", errors.New("the two passwords differ: nothing was changed")
	}
	return typed[0], nil
}

// firstLine returns the first line of r without its line feed. It does not wait for more.
func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxTypedPassword+2)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	if len(line) > maxTypedPassword {
		return "", fmt.Errorf("the password is longer than %d bytes", maxTypedPassword)
	}
	return line, nil
}
