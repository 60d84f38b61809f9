// Package spelling compares names, for messages such as "did you mean editor?". It
// is for hints to people, never for a decision.
package spelling

// MaxLength is the maximum length in bytes of a name that [Distance] compares, so
// that no name in a file makes a message expensive.
const MaxLength = 128

// Distance returns how many edits turn a into b. An edit adds, removes or changes a
// character, or swaps two neighbours; letter case counts. If a name is longer than
// [MaxLength], it returns the length in bytes of the longer one.
func Distance(a, b string) int {
	if longer := max(len(a), len(b)); longer > MaxLength {
		return longer
	}
	from, to := []rune(a), []rune(b)
	var rows [3][MaxLength + 1]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range to {
		last[j+1] = j + 1
	}
	for i := range from {
		row[0] = i + 1
		for j := range to {
			change := last[j]
			if from[i] != to[j] {
				change++
			}
			row[j+1] = min(change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && from[i] == to[j-1] && from[i-1] == to[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(to)]
}
