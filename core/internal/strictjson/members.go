package strictjson

// few is how many members an object may have to be kept in a list at first.
const few = 16

// members are those of an object that is not closed yet. Few of them are in a
// list, where a new name is compared with each: that is faster than a map, and
// the map that they go into in the end is made in its size. Compared with many,
// each name would make the work quadratic.
type members struct {
	list [few]member
	n    int            // of list
	many map[string]any // all of them, once the list is full
}

type member struct {
	name  string
	value any
}

func (m *members) has(name string) bool {
	for i := range m.list[:m.n] {
		if m.list[i].name == name {
			return true
		}
	}
	_, ok := m.many[name]
	return ok
}

// add adds a member that is not there yet.
func (m *members) add(name string, value any) {
	switch {
	case m.many != nil:
		m.many[name] = value
	case m.n < few:
		m.list[m.n] = member{name, value}
		m.n++
	default:
		m.many = m.listed(few + few/2)
		m.n = 0
		m.many[name] = value
	}
}

func (m *members) toMap() map[string]any {
	if m.many != nil {
		return m.many
	}
	return m.listed(m.n)
}

// listed makes a map of the list, with room for size members.
func (m *members) listed(size int) map[string]any {
	all := make(map[string]any, size)
	for i := range m.list[:m.n] {
		all[m.list[i].name] = m.list[i].value
	}
	return all
}
