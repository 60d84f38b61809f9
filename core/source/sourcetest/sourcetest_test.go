package sourcetest_test

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

func TestMemory(t *testing.T) {
	all := map[string]*sourcetest.Memory{}
	sourcetest.Run(t, func(_ *testing.T, name string) source.Store {
		if all[name] == nil {
			all[name] = new(sourcetest.Memory)
		}
		return all[name]
	})
}
