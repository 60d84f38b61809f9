// Package plainline splits the policy lines that are good beyond doubt, as most
// are, into pieces of the line.
//
// It is there for its speed alone: policy.SplitLine would do for every line. With
// that one a load of 200,000 lines costs 635,000 allocations in place of 35,000,
// and takes 1.3 to 2 times as long. At a decision it makes no difference.
package plainline

// Split appends the fields of a line to fields. It takes printable ASCII without
// quotes and without "#", no blanks around it, and fields that are neither empty
// nor end in a blank; ok is false for any other line.
func Split(fields []string, line string) (_ []string, ok bool) {
	if line == "" || line[0] == ' ' || line[len(line)-1] == ' ' {
		return fields, false
	}
	start := 0
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == ',':
			if i == start || line[i-1] == ' ' {
				return fields, false
			}
			fields = append(fields, line[start:i])
			for i+1 < len(line) && line[i+1] == ' ' {
				i++
			}
			start = i + 1
		case c < ' ' || c > '~' || c == '"' || c == '#':
			return fields, false
		}
	}
	return append(fields, line[start:]), start < len(line)
}
