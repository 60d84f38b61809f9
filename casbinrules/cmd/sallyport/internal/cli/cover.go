package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/policytest"
)

func writeCoverage(w io.Writer, c *policytest.Coverage, least float64) error {
	paint := paletteFor(w)
	var b strings.Builder
	for _, r := range c.NotCovered {
		b.WriteString(paint.yellow("not covered") + ": " + plain(r.String()) + "\n")
	}
	fmt.Fprintf(&b, "coverage: %d of %d lines, %.1f%%", c.Covered, c.Lines, c.Percent)
	if c.Percent < least {
		b.WriteString(paint.red(fmt.Sprintf(", less than %v%%", least)))
	}
	_, err := io.WriteString(w, b.String()+"\n")
	return err
}
