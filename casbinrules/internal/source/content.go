package source

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	from "github.com/sallyport-go/sallyport/core/source"

	"github.com/sallyport-go/sallyport/core/watch"
)

// TakeContent returns the contents of a revision of a shared source.
func (s *Sources) TakeContent(c *from.Content) (*Contents, error) {
	if s.Model.Name == "" {
		return nil, errNoModel
	}
	in := &Contents{Model: s.Model, Revision: strconv.FormatUint(uint64(c.Revision), 10)}
	if s.Model.File {
		text, found := c.File(path.Clean(s.Model.Name))
		if !found {
			return nil, fmt.Errorf("read model: the source has no file %s (it has %s)", s.Model.Name, fileNames(c))
		}
		in.Model.Text = string(text)
	}
	var places []int // indexes of the policies among the files
	take := func(file int) {
		f := &c.Files[file]
		in.Policies, places = append(in.Policies, watch.File{Name: f.Name, Content: f.Content}), append(places, file)
	}
	in.fileSum = func(policy int, step func()) from.Sum { return c.Sum(places[policy], step) }
	policies := s.Policies
	if len(policies) == 0 {
		for i, f := range c.Files {
			if strings.HasSuffix(f.Name, policySuffix) {
				take(i)
			}
		}
		if len(in.Policies) == 0 {
			return nil, fmt.Errorf("read policy: the source has no %s file (it has %s)", policySuffix, fileNames(c))
		}
		return in, nil
	}
	for _, name := range policies {
		before := len(in.Policies)
		for i, f := range c.Files {
			clean := path.Clean(name)
			if f.Name == clean || path.Dir(f.Name) == clean && strings.HasSuffix(f.Name, policySuffix) {
				take(i)
			}
		}
		if len(in.Policies) == before {
			return nil, fmt.Errorf("read policy: the source has no file %s, and no %s file in a folder of that name (it has %s)", name, policySuffix, fileNames(c))
		}
	}
	return in, nil
}

// fileNames returns the first few file names of a source.
func fileNames(c *from.Content) string {
	const shown = 5
	names := make([]string, 0, shown)
	for _, f := range c.Files[:min(shown, len(c.Files))] {
		names = append(names, f.Name)
	}
	if more := len(c.Files) - shown; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}
