package ask

import "strings"

// Assignment is a value for each attribute of a request.
type Assignment struct {
	// Names and Values correspond by index.
	Names, Values []string
}

// Assignments returns every combination of one value for each name.
func Assignments(names []string, values map[string][]string) []*Assignment {
	all := []*Assignment{{}}
	for _, name := range names {
		var longer []*Assignment
		for _, a := range all {
			for _, value := range values[name] {
				longer = append(longer, &Assignment{append(a.Names[:len(a.Names):len(a.Names)], name), append(a.Values[:len(a.Values):len(a.Values)], value)})
			}
		}
		all = longer
	}
	return all
}

// String returns a text such as "region=eu age=18", or "" without attributes.
func (a *Assignment) String() string {
	if a == nil {
		return ""
	}
	parts := make([]string, len(a.Names))
	for i, name := range a.Names {
		parts[i] = name + "=" + a.Values[i]
	}
	return strings.Join(parts, " ")
}

// Map returns the values by name, nil without attributes.
func (a *Assignment) Map() map[string]any {
	if a == nil || len(a.Names) == 0 {
		return nil
	}
	m := map[string]any{}
	for i, name := range a.Names {
		m[name] = a.Values[i]
	}
	return m
}
