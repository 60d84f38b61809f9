package sessionstore

import (
	"strconv"
	"testing"
	"time"
)

func TestMemoryForgetsWhatHasExpired(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	m := NewMemory(func() time.Time { return now })
	const lifetime = 10 * time.Minute
	for n := range 1000 {
		if err := m.Commit(strconv.Itoa(n), []byte("data"), now.Add(lifetime)); err != nil {
			t.Fatal(err)
		}
		if data, found, err := m.Find(strconv.Itoa(n)); string(data) != "data" || !found || err != nil {
			t.Fatalf("%q, %v, %v just after it was kept", data, found, err)
		}
		// One a second: those of the last ten minutes, and a minute's that wait.
		if held := len(m.entries); held > int((lifetime+sweepEvery)/time.Second)+1 {
			t.Fatalf("%d entries after %d", held, n)
		}
		now = now.Add(time.Second)
	}
	last := "999"
	now = now.Add(lifetime - 2*time.Second)
	if _, found, _ := m.Find(last); !found {
		t.Error("gone before its time")
	}
	now = now.Add(time.Second)
	if _, found, _ := m.Find(last); found {
		t.Error("still there when it has expired")
	}
	if err := m.Commit(last, []byte("again"), now.Add(lifetime)); err != nil {
		t.Fatal(err)
	}
	if err := m.Delete(last); err != nil {
		t.Fatal(err)
	}
	if _, found, _ := m.Find(last); found {
		t.Error("still there when it was deleted")
	}
}
